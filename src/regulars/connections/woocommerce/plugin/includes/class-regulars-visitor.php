<?php
/**
 * Who is shopping, as far as they agreed that it is known.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * The visitor of this request.
 */
class Regulars_Visitor {

	// The tracker's id of the visitor, kept by assets/shop.js where the visitor agreed.
	const COOKIE = 'regulars_id';

	/**
	 * The settings.
	 *
	 * @var Regulars_Settings
	 */
	private $settings;

	/**
	 * Made with what decides.
	 *
	 * @param Regulars_Settings $settings The settings.
	 */
	public function __construct( $settings ) {
		$this->settings = $settings;
	}

	/**
	 * The tracker's id, '' where there is none.
	 *
	 * @return string
	 */
	public function id() {
		// phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- Matched against a strict pattern.
		$id = isset( $_COOKIE[ self::COOKIE ] ) && is_string( $_COOKIE[ self::COOKIE ] ) ? $_COOKIE[ self::COOKIE ] : '';
		return 1 === preg_match( '/^[A-Za-z0-9-]{16,64}$/D', $id ) ? $id : '';
	}

	/**
	 * Whether anything of this visitor may be told.
	 *
	 * @return bool
	 */
	public function may_be_told() {
		foreach ( array( 'HTTP_DNT', 'HTTP_SEC_GPC' ) as $signal ) {
			if ( isset( $_SERVER[ $signal ] ) && '1' === $_SERVER[ $signal ] ) {
				return false;
			}
		}
		if ( $this->is_staff() ) {
			return false;
		}
		if ( function_exists( 'wp_has_consent' ) && ! wp_has_consent( 'marketing' ) ) {
			return false;
		}
		return 'required' !== $this->settings->get( 'consent' ) || '' !== $this->id();
	}

	/**
	 * Names of the visitor for a call: the tracker's id or, without one, one that holds for this cart only; and the account.
	 *
	 * @param string $token Of the cart.
	 * @return array<string, string>
	 */
	public function names( $token ) {
		$id    = $this->id();
		$names = array( 'anonymousId' => '' !== $id ? $id : 'cart-' . substr( hash( 'sha256', $token ), 0, 32 ) );
		$user  = get_current_user_id();
		if ( $user ) {
			$names['userId'] = (string) $user;
		}
		return $names;
	}

	/**
	 * Who runs the shop is no shopper.
	 *
	 * @return bool
	 */
	private function is_staff() {
		return current_user_can( 'manage_woocommerce' ) || current_user_can( 'edit_posts' );
	}
}
