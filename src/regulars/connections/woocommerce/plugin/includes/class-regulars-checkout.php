<?php
/**
 * What the checkout adds: the cart's token and the newsletter box with the order, and the address as it is typed.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * For the classic checkout and for the block.
 */
class Regulars_Checkout {

	const CART    = '_regulars_cart';
	const CONSENT = '_regulars_consent';
	const BOX     = 'regulars_newsletter';
	const FIELD   = 'regulars/newsletter';
	const ACTION  = 'regulars_email';

	/**
	 * The settings.
	 *
	 * @var Regulars_Settings
	 */
	private $settings;

	/**
	 * Who is told.
	 *
	 * @var Regulars_Sender
	 */
	private $sender;

	/**
	 * Who is shopping.
	 *
	 * @var Regulars_Visitor
	 */
	private $visitor;

	/**
	 * The cart.
	 *
	 * @var Regulars_Cart
	 */
	private $cart;

	/**
	 * Made with what it uses.
	 *
	 * @param Regulars_Settings $settings The settings.
	 * @param Regulars_Sender   $sender   Who is told.
	 * @param Regulars_Visitor  $visitor  Who is shopping.
	 * @param Regulars_Cart     $cart     The cart.
	 */
	public function __construct( $settings, $sender, $visitor, $cart ) {
		$this->settings = $settings;
		$this->sender   = $sender;
		$this->visitor  = $visitor;
		$this->cart     = $cart;
	}

	/**
	 * Hooks.
	 */
	public function register() {
		add_action( 'woocommerce_checkout_create_order', array( $this, 'classic_order' ), 10, 2 );
		add_action( 'woocommerce_store_api_checkout_update_order_from_request', array( $this, 'block_order' ), 10, 2 );
		add_action( 'woocommerce_checkout_order_processed', array( $this, 'classic_placed' ), 10, 3 );
		add_action( 'woocommerce_store_api_checkout_order_processed', array( $this, 'placed' ) );
		add_action( 'wp_login', array( $this, 'signed_in' ), 10, 2 );
		add_action( 'wp_enqueue_scripts', array( $this, 'enqueue' ) );
		add_action( 'wp_ajax_' . self::ACTION, array( $this, 'typed' ) );
		add_action( 'wp_ajax_nopriv_' . self::ACTION, array( $this, 'typed' ) );
		if ( 'yes' === $this->settings->get( 'newsletter' ) ) {
			add_filter( 'woocommerce_checkout_fields', array( $this, 'classic_box' ) );
			add_action( 'woocommerce_init', array( $this, 'block_box' ) );
		}
	}

	/**
	 * The box below the address, never ticked beforehand.
	 *
	 * @param array<string, array<string, mixed>> $fields Of the classic checkout.
	 * @return array<string, array<string, mixed>>
	 */
	public function classic_box( $fields ) {
		$fields['billing'][ self::BOX ] = array(
			'type'     => 'checkbox',
			'label'    => esc_html( $this->settings->newsletter_text() ),
			'required' => false,
			'default'  => 0,
			'priority' => 115,
		);
		return $fields;
	}

	/**
	 * The same box in the block.
	 */
	public function block_box() {
		if ( function_exists( 'woocommerce_register_additional_checkout_field' ) ) {
			woocommerce_register_additional_checkout_field(
				array(
					'id'       => self::FIELD,
					'label'    => $this->settings->newsletter_text(),
					'location' => 'contact',
					'type'     => 'checkbox',
				)
			);
		}
	}

	/**
	 * An order of the classic checkout; WooCommerce checked the form's nonce.
	 *
	 * @param WC_Order             $order About to be saved.
	 * @param array<string, mixed> $data  Of the form.
	 */
	public function classic_order( $order, $data ) {
		$this->note( $order, ! empty( $data[ self::BOX ] ) );
	}

	/**
	 * An order of the block, also while it is a draft that changes with what is typed.
	 *
	 * @param WC_Order        $order   About to be saved.
	 * @param WP_REST_Request $request Of the block; it need not hold every field.
	 */
	public function block_order( $order, $request ) {
		$fields = isset( $request['additional_fields'] ) ? (array) $request['additional_fields'] : array();
		$this->note( $order, isset( $fields[ self::FIELD ] ) ? ! empty( $fields[ self::FIELD ] ) : null );
	}

	/**
	 * Writes the cart's token and, where the box is ticked, the consent with its words and time. A box left empty is no refusal.
	 *
	 * @param WC_Order  $order     About to be saved.
	 * @param bool|null $is_agreed Whether the box is ticked; null where nothing is said of it.
	 */
	private function note( $order, $is_agreed ) {
		$token = $this->cart->token();
		if ( '' !== $token ) {
			$order->update_meta_data( self::CART, $token );
		}
		if ( false === $is_agreed ) {
			$order->delete_meta_data( self::CONSENT );
		} elseif ( $is_agreed && 'yes' === $this->settings->get( 'newsletter' ) ) {
			$order->update_meta_data(
				self::CONSENT,
				array(
					'agreed'  => true,
					'channel' => 'email',
					'text'    => $this->settings->newsletter_text(),
					'at'      => gmdate( 'Y-m-d\TH:i:s\Z' ),
					'source'  => 'checkout',
				)
			);
		}
	}

	/**
	 * An order of the classic checkout was placed.
	 *
	 * @param int                  $id    Of the order.
	 * @param array<string, mixed> $data  Of the form.
	 * @param WC_Order             $order The order.
	 */
	public function classic_placed( $id, $data, $order ) {
		$this->placed( $order );
	}

	/**
	 * An order was placed, and the visitor is known by it.
	 *
	 * @param WC_Order $order The order.
	 */
	public function placed( $order ) {
		$this->cart->ordered();
		$email = (string) $order->get_billing_email();
		if ( '' !== $email && '' !== $this->visitor->id() && $this->visitor->may_be_told() ) {
			$this->sender->identify( array( 'email' => $email ), $this->visitor->names( $this->cart->token() ) );
		}
	}

	/**
	 * Somebody signed in: from now on the visitor is known by the account.
	 *
	 * @param string  $name Of the account.
	 * @param WP_User $user The account.
	 */
	public function signed_in( $name, $user ) {
		if ( '' === $this->visitor->id() || ! $this->visitor->may_be_told() || user_can( $user, 'edit_posts' ) || user_can( $user, 'manage_woocommerce' ) ) {
			return;
		}
		$names = array(
			'anonymousId' => $this->visitor->id(),
			'userId'      => (string) $user->ID,
		);
		$this->sender->identify( array( 'email' => (string) $user->user_email ), $names );
	}

	/**
	 * On the checkout, where an address may be told before the order.
	 */
	public function enqueue() {
		if ( 'never' === $this->settings->get( 'early_email' ) || ! is_checkout() || is_wc_endpoint_url() ) {
			return;
		}
		wp_enqueue_script( 'regulars-checkout', plugins_url( 'assets/checkout.js', REGULARS_FILE ), array(), REGULARS_VERSION, true );
		wp_localize_script(
			'regulars-checkout',
			'regularsCheckout',
			array(
				'url'          => admin_url( 'admin-ajax.php' ),
				'action'       => self::ACTION,
				'nonce'        => wp_create_nonce( self::ACTION ),
				'needsConsent' => 'consent' === $this->settings->get( 'early_email' ),
			)
		);
	}

	/**
	 * An address was typed. What the browser says of the box is checked against the setting once more.
	 */
	public function typed() {
		check_ajax_referer( self::ACTION, 'nonce' );
		$email = isset( $_POST['email'] ) && is_string( $_POST['email'] ) ? sanitize_email( wp_unslash( $_POST['email'] ) ) : '';
		$when  = $this->settings->get( 'early_email' );
		$is_ok = 'always' === $when ? $this->visitor->may_be_told() : 'consent' === $when && ! empty( $_POST['agreed'] );
		if ( $is_ok && is_email( $email ) && Regulars_Cart::items() ) {
			$this->sender->identify( array( 'email' => $email ), $this->visitor->names( $this->cart->token() ) );
			$this->cart->state( 'Checkout Started', true );
		}
		wp_send_json_success();
	}
}
