<?php
/**
 * What the shop owner set.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * Reads and cleans the plugin's one option.
 */
class Regulars_Settings {

	const OPTION = 'regulars_settings';

	const DEFAULTS = array(
		'address'         => '',
		'browser_key'     => '',
		'server_key'      => '',
		'consent'         => 'required',
		'early_email'     => 'consent',
		'newsletter'      => 'yes',
		'newsletter_text' => '',
	);

	/**
	 * What may be chosen.
	 *
	 * Consent: as the tracker's data-consent; 'given' tracks at once. Early email: when an address typed at checkout is told before the order.
	 */
	const CHOICES = array(
		'consent'     => array( 'required', 'cookieless', 'given' ),
		'early_email' => array( 'never', 'consent', 'always' ),
		'newsletter'  => array( 'yes', 'no' ),
	);

	/**
	 * One setting.
	 *
	 * @param string $name Its name.
	 * @return string
	 */
	public function get( $name ) {
		$all = wp_parse_args( (array) get_option( self::OPTION, array() ), self::DEFAULTS );
		return (string) $all[ $name ];
	}

	/**
	 * Whether it is known whom to tell.
	 *
	 * @return bool
	 */
	public function is_connected() {
		return '' !== $this->get( 'address' ) && '' !== $this->get( 'browser_key' ) && '' !== $this->get( 'server_key' );
	}

	/**
	 * The words beside the newsletter box.
	 *
	 * @return string
	 */
	public function newsletter_text() {
		$text = $this->get( 'newsletter_text' );
		return '' !== $text ? $text : __( 'Send me news and offers by email. I can unsubscribe at any time.', 'regulars-for-woocommerce' );
	}

	/**
	 * Cleans what was sent by the settings page. A connection code fills address and keys; an empty secret keeps the present one.
	 *
	 * @param mixed $given As it came.
	 * @return array<string, string>
	 */
	public function clean( $given ) {
		$given = is_array( $given ) ? $given : array();
		$code  = isset( $given['code'] ) && is_string( $given['code'] ) ? trim( $given['code'] ) : '';
		if ( '' !== $code ) {
			$read = self::read_code( $code );
			if ( null === $read ) {
				add_settings_error( self::OPTION, 'code', __( 'This is no connection code of Regulars.', 'regulars-for-woocommerce' ) );
			} else {
				$given = array_merge( $given, $read );
			}
		}
		$clean = array();
		foreach ( self::DEFAULTS as $name => $default ) {
			$value = isset( $given[ $name ] ) && is_string( $given[ $name ] ) ? sanitize_text_field( $given[ $name ] ) : $this->get( $name );
			if ( isset( self::CHOICES[ $name ] ) && ! in_array( $value, self::CHOICES[ $name ], true ) ) {
				$value = $default;
			}
			$clean[ $name ] = $value;
		}
		if ( '' === $clean['server_key'] ) {
			$clean['server_key'] = $this->get( 'server_key' );
		}
		$clean['address'] = self::clean_address( $clean['address'] );
		return $clean;
	}

	/**
	 * An address without a slash at its end; '' for what is none.
	 *
	 * @param string $address As it was typed.
	 * @return string
	 */
	public static function clean_address( $address ) {
		$parts = wp_parse_url( untrailingslashit( esc_url_raw( trim( $address ), array( 'https', 'http' ) ) ) );
		if ( empty( $parts['scheme'] ) || empty( $parts['host'] ) ) {
			return '';
		}
		$port = isset( $parts['port'] ) ? ':' . $parts['port'] : '';
		$path = isset( $parts['path'] ) ? $parts['path'] : '';
		return $parts['scheme'] . '://' . $parts['host'] . $port . $path;
	}

	/**
	 * Address and keys in a connection code: 'regulars1.' and base64url of JSON. Null for anything else.
	 *
	 * @param string $code As it was pasted.
	 * @return array<string, string>|null
	 */
	public static function read_code( $code ) {
		if ( 0 !== strpos( $code, 'regulars1.' ) ) {
			return null;
		}
		// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode -- Only a form that can be pasted in one piece.
		$json = base64_decode( strtr( substr( $code, 10 ), '-_', '+/' ), true );
		$said = false === $json ? null : json_decode( $json, true );
		$read = array();
		foreach ( array( 'address', 'browser_key', 'server_key' ) as $name ) {
			if ( ! is_array( $said ) || empty( $said[ $name ] ) || ! is_string( $said[ $name ] ) ) {
				return null;
			}
			$read[ $name ] = $said[ $name ];
		}
		return '' === self::clean_address( $read['address'] ) ? null : $read;
	}
}
