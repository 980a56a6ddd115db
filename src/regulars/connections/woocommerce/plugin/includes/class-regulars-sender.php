<?php
/**
 * Tells Regulars, and never keeps a shopper waiting for it.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * Collects the calls of a request and sends them at its end, all in one, without waiting for an answer.
 */
class Regulars_Sender {

	const PAUSE         = 'regulars_pause';
	const PAUSE_SECONDS = 60;
	const MOST          = 100;

	/**
	 * The settings.
	 *
	 * @var Regulars_Settings
	 */
	private $settings;

	/**
	 * The visitor.
	 *
	 * @var Regulars_Visitor
	 */
	private $visitor;

	/**
	 * What waits.
	 *
	 * @var array<int, array<string, mixed>>
	 */
	private $calls = array();

	/**
	 * Made with whom to tell and who is shopping.
	 *
	 * @param Regulars_Settings $settings The settings.
	 * @param Regulars_Visitor  $visitor  The visitor.
	 */
	public function __construct( $settings, $visitor ) {
		$this->settings = $settings;
		$this->visitor  = $visitor;
	}

	/**
	 * Hooks. After the cart was looked at (5), before WooCommerce closes the session (20).
	 */
	public function register() {
		add_action( 'shutdown', array( $this, 'send' ), 10 );
	}

	/**
	 * Something happened.
	 *
	 * @param string               $event      Name of the e-commerce spec.
	 * @param array<string, mixed> $properties As the spec has them.
	 * @param string               $token      Of the cart.
	 */
	public function track( $event, $properties, $token ) {
		$this->add(
			array(
				'type'       => 'track',
				'event'      => $event,
				'properties' => $properties,
			) + $this->visitor->names( $token )
		);
	}

	/**
	 * Somebody said who they are.
	 *
	 * @param array<string, string> $traits Of the person.
	 * @param array<string, string> $names  Of the visitor.
	 */
	public function identify( $traits, $names ) {
		$this->add(
			array(
				'type'   => 'identify',
				'traits' => $traits,
			) + $names
		);
	}

	/**
	 * Keeps a call until the end of the request.
	 *
	 * @param array<string, mixed> $call The call.
	 */
	private function add( $call ) {
		if ( count( $this->calls ) >= self::MOST ) {
			return;
		}
		$call['messageId'] = wp_generate_uuid4();
		$call['timestamp'] = gmdate( 'Y-m-d\TH:i:s\Z' );
		$call['context']   = array(
			'library' => array(
				'name'    => 'regulars-for-woocommerce',
				'version' => REGULARS_VERSION,
			),
		);
		$this->calls[]     = $call;
	}

	/**
	 * Sends what waits. Where Regulars cannot be reached at all, nothing is tried for a minute.
	 */
	public function send() {
		if ( ! $this->calls || get_transient( self::PAUSE ) ) {
			return;
		}
		$body        = array(
			'batch'  => $this->calls,
			'sentAt' => gmdate( 'Y-m-d\TH:i:s\Z' ),
		);
		$this->calls = array();
		$answer      = wp_remote_post(
			$this->settings->get( 'address' ) . '/v1/batch',
			array(
				'blocking'    => false,
				'timeout'     => 1,
				'redirection' => 0,
				'headers'     => array(
					'Content-Type'  => 'application/json',
					// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- HTTP Basic.
					'Authorization' => 'Basic ' . base64_encode( $this->settings->get( 'server_key' ) . ':' ),
				),
				'body'        => wp_json_encode( $body ),
			)
		);
		if ( is_wp_error( $answer ) ) {
			set_transient( self::PAUSE, 1, self::PAUSE_SECONDS );
		}
	}
}
