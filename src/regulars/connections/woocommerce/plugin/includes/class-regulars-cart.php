<?php
/**
 * The cart, told as it changes.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * Compares the cart at the end of a request with what was told before. Whatever changed it (a page, the block cart, a login that merged two
 * carts, another plugin), the difference is told once.
 */
class Regulars_Cart {

	// Names within WooCommerce's session of the shopper.
	const TOKEN   = 'regulars_cart';
	const TOLD    = 'regulars_told';
	const STATED  = 'regulars_stated';
	const ORDERED = 'regulars_ordered';
	const KNOWN   = 'regulars_known';

	// Name of the same with the account, for the next session.
	const KEPT = '_regulars_told';

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
	 * What keeps carts for later.
	 *
	 * @var Regulars_Recovery
	 */
	private $recovery;

	/**
	 * Made with what it tells and keeps.
	 *
	 * @param Regulars_Sender   $sender   Who is told.
	 * @param Regulars_Visitor  $visitor  Who is shopping.
	 * @param Regulars_Recovery $recovery What keeps carts.
	 */
	public function __construct( $sender, $visitor, $recovery ) {
		$this->sender   = $sender;
		$this->visitor  = $visitor;
		$this->recovery = $recovery;
	}

	/**
	 * Hooks.
	 */
	public function register() {
		add_action( 'template_redirect', array( $this, 'look' ), 20 );
		add_action( 'woocommerce_cart_emptied', array( $this, 'emptied' ) );
		add_action( 'shutdown', array( $this, 'tell_changes' ), 5 );
	}

	/**
	 * The cart's token: random, the same until the cart was ordered. '' where there is no session.
	 *
	 * @return string
	 */
	public function token() {
		if ( ! self::session() ) {
			return '';
		}
		if ( ! self::session()->get( self::TOKEN ) ) {
			$this->come_back();
		}
		$token = (string) self::session()->get( self::TOKEN, '' );
		if ( 1 !== preg_match( '/^[0-9a-f]{32}$/D', $token ) ) {
			$token = bin2hex( random_bytes( 16 ) );
			self::session()->set( self::TOKEN, $token );
		}
		return $token;
	}

	/**
	 * Whoever signs in gets the cart that WooCommerce kept with the account: it is the same cart, and what was told of it is known.
	 */
	private function come_back() {
		$user = get_current_user_id();
		$kept = $user ? get_user_meta( $user, self::KEPT, true ) : '';
		if ( is_array( $kept ) && 2 === count( $kept ) ) {
			self::session()->set( self::TOKEN, $kept[0] );
			self::session()->set( self::TOLD, $kept[1] );
		}
	}

	/**
	 * Remembers what was told of the cart, with the account too where there is one.
	 *
	 * @param array<int, int> $told Quantity by product.
	 */
	private function remember( $told ) {
		self::session()->set( self::TOLD, $told );
		if ( get_current_user_id() ) {
			update_user_meta( get_current_user_id(), self::KEPT, array( $this->token(), $told ) );
		}
	}

	/**
	 * On the pages of cart and checkout all of the cart is told: whatever got lost before is right again.
	 */
	public function look() {
		if ( is_checkout() && ! is_wc_endpoint_url() ) {
			$this->state( 'Checkout Started' );
		} elseif ( is_cart() ) {
			$this->state( 'Cart Viewed' );
		}
	}

	/**
	 * Tells all that lies in the cart, once for the same contents.
	 *
	 * @param string $event   Name of the e-commerce spec.
	 * @param bool   $is_sure Even if it was told before, and whoever the visitor is.
	 */
	public function state( $event, $is_sure = false ) {
		$items = self::items();
		if ( ! $items || ! self::session() || ! ( $is_sure || $this->visitor->may_be_told() ) ) {
			return;
		}
		$stated = md5( $event . wp_json_encode( self::quantities( $items ) ) );
		if ( ! $is_sure && self::session()->get( self::STATED ) === $stated ) {
			return;
		}
		$products = array();
		foreach ( $items as $item ) {
			$products[] = array( 'quantity' => (int) $item['quantity'] ) + Regulars_Tracker::describe( $item['data'] );
		}
		$this->track( $event, array( 'products' => $products ) );
		self::session()->set( self::STATED, $stated );
		$this->remember( self::quantities( $items ) );
	}

	/**
	 * Tells what came into the cart and what left it since the last time.
	 */
	public function tell_changes() {
		if ( ! did_action( 'woocommerce_cart_loaded_from_session' ) || ! self::session() ) {
			return;
		}
		$items = self::items();
		$now   = self::quantities( $items );
		if ( ! $items && ! self::session()->get( self::TOKEN ) ) {
			return;
		}
		$token = $this->token();
		$told  = (array) self::session()->get( self::TOLD, array() );
		if ( $now === $told ) {
			return;
		}
		$this->recovery->keep( $token, $items );
		if ( $this->visitor->may_be_told() ) {
			$this->tell_difference( $told, $now );
			$this->remember( $now );
		}
	}

	/**
	 * Each product whose quantity changed.
	 *
	 * @param array<string, int> $told Quantity by product before.
	 * @param array<string, int> $now  The same now.
	 */
	private function tell_difference( $told, $now ) {
		foreach ( array_unique( array_merge( array_keys( $told ), array_keys( $now ) ) ) as $id ) {
			$more    = ( isset( $now[ $id ] ) ? $now[ $id ] : 0 ) - ( isset( $told[ $id ] ) ? $told[ $id ] : 0 );
			$product = 0 !== $more ? wc_get_product( (int) $id ) : false;
			if ( $product ) {
				$said = array( 'quantity' => abs( $more ) ) + Regulars_Tracker::describe( $product );
				$this->track( $more > 0 ? 'Product Added' : 'Product Removed', $said );
			}
		}
	}

	/**
	 * One call about this cart. The link that restores it goes along.
	 *
	 * @param string               $event      Name of the e-commerce spec.
	 * @param array<string, mixed> $properties As the spec has them.
	 */
	private function track( $event, $properties ) {
		$token = $this->token();
		$cart  = array(
			'cart_id'      => $token,
			'currency'     => get_woocommerce_currency(),
			'recovery_url' => $this->recovery->link( $token ),
		);
		$this->introduce( $token );
		$this->sender->track( $event, $cart + $properties, $token );
	}

	/**
	 * Says once in a session whose account it is, also where the shopper signed in long ago.
	 *
	 * @param string $token Of the cart.
	 */
	private function introduce( $token ) {
		$names = $this->visitor->names( $token );
		$known = implode( ' ', $names );
		if ( isset( $names['userId'] ) && self::session()->get( self::KNOWN ) !== $known ) {
			$this->sender->identify( array( 'email' => (string) wp_get_current_user()->user_email ), $names );
			self::session()->set( self::KNOWN, $known );
		}
	}

	/**
	 * An order holds this cart now; it may still be paid later, or never.
	 */
	public function ordered() {
		if ( self::session() ) {
			self::session()->set( self::ORDERED, $this->token() );
		}
	}

	/**
	 * A cart that was ordered is over and the next one is another; one that the shopper emptied is told as such.
	 */
	public function emptied() {
		if ( ! self::session() || self::session()->get( self::ORDERED ) !== $this->token() ) {
			return;
		}
		$this->recovery->forget( $this->token() );
		foreach ( array( self::TOKEN, self::TOLD, self::STATED, self::ORDERED ) as $name ) {
			self::session()->set( $name, null );
		}
		if ( get_current_user_id() ) {
			delete_user_meta( get_current_user_id(), self::KEPT );
		}
	}

	/**
	 * What lies in the cart.
	 *
	 * @return array<string, array<string, mixed>>
	 */
	public static function items() {
		return WC()->cart ? WC()->cart->get_cart() : array();
	}

	/**
	 * How much of each product or variation lies in the cart.
	 *
	 * @param array<string, array<string, mixed>> $items Of the cart.
	 * @return array<int, int>
	 */
	public static function quantities( $items ) {
		$found = array();
		foreach ( $items as $item ) {
			$id           = (int) ( ! empty( $item['variation_id'] ) ? $item['variation_id'] : $item['product_id'] );
			$found[ $id ] = ( isset( $found[ $id ] ) ? $found[ $id ] : 0 ) + (int) $item['quantity'];
		}
		ksort( $found );
		return $found;
	}

	/**
	 * WooCommerce's session of the shopper; null in the background.
	 *
	 * @return WC_Session|null
	 */
	private static function session() {
		return function_exists( 'WC' ) && WC()->session ? WC()->session : null;
	}
}
