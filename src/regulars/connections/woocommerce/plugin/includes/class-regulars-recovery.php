<?php
/**
 * Links that bring a cart back.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * Keeps what lay in a cart, and puts it back for who follows the cart's signed link, at whatever device. Nothing of a person is kept.
 */
class Regulars_Recovery {

	const PARAMETER = 'regulars_cart';
	const SECRET    = 'regulars_link_secret';
	const KEPT      = 'regulars_cart_';
	const DAYS      = 30;

	/**
	 * Hooks. When the cart is there, before a page is.
	 */
	public function register() {
		add_action( 'wp_loaded', array( $this, 'follow' ), 30 );
	}

	/**
	 * The link that restores a cart.
	 *
	 * @param string $token Of the cart.
	 * @return string
	 */
	public function link( $token ) {
		return add_query_arg( self::PARAMETER, $token . '.' . $this->sign( $token ), wc_get_cart_url() );
	}

	/**
	 * The token that a link was made for; '' for what was not made here.
	 *
	 * @param string $given As it stands in the address.
	 * @return string
	 */
	public function verify( $given ) {
		if ( 1 !== preg_match( '/^([0-9a-f]{32})\.([0-9a-f]{32})$/D', $given, $found ) ) {
			return '';
		}
		return hash_equals( $this->sign( $found[1] ), $found[2] ) ? $found[1] : '';
	}

	/**
	 * The signature of a token.
	 *
	 * @param string $token Of the cart.
	 * @return string
	 */
	private function sign( $token ) {
		return substr( hash_hmac( 'sha256', 'regulars cart ' . $token, $this->secret() ), 0, 32 );
	}

	/**
	 * The shop's own secret, which nobody else needs to know.
	 *
	 * @return string
	 */
	private function secret() {
		$secret = (string) get_option( self::SECRET, '' );
		if ( '' === $secret ) {
			add_option( self::SECRET, bin2hex( random_bytes( 32 ) ), '', false );
			$secret = (string) get_option( self::SECRET, '' );
		}
		return $secret;
	}

	/**
	 * Remembers what lies in a cart.
	 *
	 * @param string                              $token Of the cart.
	 * @param array<string, array<string, mixed>> $items In it.
	 */
	public function keep( $token, $items ) {
		if ( '' === $token || ! $items ) {
			return;
		}
		$kept = array();
		foreach ( $items as $item ) {
			$kept[] = array(
				(int) $item['product_id'],
				(int) $item['quantity'],
				empty( $item['variation_id'] ) ? 0 : (int) $item['variation_id'],
				empty( $item['variation'] ) ? array() : (array) $item['variation'],
			);
		}
		set_transient( self::KEPT . $token, $kept, self::DAYS * DAY_IN_SECONDS );
	}

	/**
	 * It was ordered.
	 *
	 * @param string $token Of the cart.
	 */
	public function forget( $token ) {
		delete_transient( self::KEPT . $token );
	}

	/**
	 * Somebody came by a link: what is missing of the cart is put back, and the address is shown without the token.
	 */
	public function follow() {
		// phpcs:ignore WordPress.Security -- Signed by us and checked below; a nonce cannot stand in a mail.
		$given = isset( $_GET[ self::PARAMETER ] ) && is_string( $_GET[ self::PARAMETER ] ) ? $_GET[ self::PARAMETER ] : '';
		if ( '' === $given || is_admin() || ! WC()->cart || ! WC()->session ) {
			return;
		}
		$token = $this->verify( $given );
		$kept  = '' !== $token ? get_transient( self::KEPT . $token ) : false;
		if ( is_array( $kept ) && $kept ) {
			$this->restore( $token, $kept );
		} else {
			wc_add_notice( __( 'This cart is no longer there.', 'regulars-for-woocommerce' ), 'notice' );
		}
		wp_safe_redirect( remove_query_arg( self::PARAMETER ) );
		$this->stop();
	}

	/**
	 * Adds what is not in the cart yet. An empty cart becomes the old one again; a cart with things in it stays itself.
	 *
	 * @param string                        $token Of the old cart.
	 * @param array<int, array<int, mixed>> $kept  What lay in it.
	 */
	private function restore( $token, $kept ) {
		WC()->session->set_customer_session_cookie( true );
		$there = Regulars_Cart::quantities( WC()->cart->get_cart() );
		if ( ! $there ) {
			WC()->session->set( Regulars_Cart::TOKEN, $token );
			WC()->session->set( Regulars_Cart::TOLD, self::quantities( $kept ) );
		}
		foreach ( $kept as $line ) {
			list( $product, $quantity, $variation, $chosen ) = $line;
			if ( empty( $there[ $variation ? $variation : $product ] ) ) {
				WC()->cart->add_to_cart( $product, $quantity, $variation, $chosen );
			}
		}
	}

	/**
	 * How much of each product or variation was kept: Regulars knows of it, so it is not told again.
	 *
	 * @param array<int, array<int, mixed>> $kept What lay in the cart.
	 * @return array<int, int>
	 */
	private static function quantities( $kept ) {
		$items = array();
		foreach ( $kept as $line ) {
			$items[] = array(
				'product_id'   => $line[0],
				'quantity'     => $line[1],
				'variation_id' => $line[2],
			);
		}
		return Regulars_Cart::quantities( $items );
	}

	/**
	 * Ends the request after the redirect.
	 */
	protected function stop() {
		exit;
	}
}
