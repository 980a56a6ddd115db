<?php
/**
 * One shopper's requests, one after another in the same session: steps in, what came of them out.
 */

error_reporting( E_ALL );
set_error_handler(
	function ( $kind, $text, $file, $line ) {
		throw new ErrorException( $text, 0, $kind, $file, $line );
	}
);

$given                 = json_decode( stream_get_contents( STDIN ), true );
$GLOBALS['options']    = $given['options'];
$GLOBALS['transients'] = array();
require __DIR__ . '/wordpress.php';

$GLOBALS['woo']          = new WooCommerce();
$GLOBALS['woo']->session = new WC_Session();
$GLOBALS['woo']->cart    = new WC_Cart();
$orders                  = array();
$printed                 = '';
$clean                   = null;

require $given['plugin'] . '/regulars-for-woocommerce.php';
do_action( 'plugins_loaded' );
do_action( 'woocommerce_init' );
do_action( 'woocommerce_cart_loaded_from_session' );

// The real one ends the request; here the next step follows.
class Stopped extends Exception {}
class Recovery extends Regulars_Recovery {
	protected function stop() { throw new Stopped(); }
}

foreach ( $given['steps'] as $step ) {
	list( $does, $with ) = $step + array( 1 => null );
	switch ( $does ) {
		case 'cookies': $_COOKIE = $with; break;
		case 'server': $_SERVER = $with + $_SERVER; break;
		case 'user': $GLOBALS['user'] = $with; break;
		case 'capabilities': $GLOBALS['caps'] = $with; break;
		case 'reachable': $GLOBALS['reachable'] = $with; break;
		case 'page': $GLOBALS['page'] = $with; do_action( 'wp_enqueue_scripts' ); do_action( 'template_redirect' ); break;
		case 'add': WC()->cart->add_to_cart( ...$with ); break;
		case 'quantity': WC()->cart->lines[ $with[0] ]['quantity'] = $with[1]; break;
		case 'remove': unset( WC()->cart->lines[ $with ] ); break;
		case 'empty': WC()->cart->empty_cart(); break;
		case 'end': do_action( 'shutdown' ); break;
		case 'order':
			$order = new WC_Order();
			do_action( 'woocommerce_checkout_create_order', $order, $with );
			do_action( 'woocommerce_checkout_order_processed', 1, $with, $order );
			$orders[] = $order->meta;
			break;
		case 'block':
			$order = new WC_Order();
			foreach ( $with as $request ) {
				do_action( 'woocommerce_store_api_checkout_update_order_from_request', $order, $request );
			}
			$orders[] = $order->meta;
			break;
		case 'placed': do_action( 'woocommerce_store_api_checkout_order_processed', $order ); break;
		case 'sign out': WC()->session = new WC_Session(); WC()->cart = new WC_Cart(); $GLOBALS['user'] = 0; break;
		case 'sign in': apply_filters( 'wp_login', 'name', (object) $with ); break;
		case 'typed': $_POST = $with; try { do_action( 'wp_ajax_nopriv_regulars_email' ); } catch ( Exception $error ) { $printed .= $error->getMessage(); } break;
		case 'another device': $link = ( new Regulars_Recovery() )->link( WC()->session->kept['regulars_cart'] ); $GLOBALS['woo']->session = new WC_Session(); $GLOBALS['woo']->cart = new WC_Cart(); break;
		case 'follow': $with = '$link' === $with ? substr( strrchr( $link, '=' ), 1 ) : $with; $_GET = array( 'regulars_cart' => $with ); $_SERVER['REQUEST_URI'] = '/cart/?utm_source=mail&regulars_cart=' . $with;
			try { ( new Recovery() )->follow(); } catch ( Stopped $stopped ) {} $_GET = array(); break;
		case 'save': do_action( 'admin_init' ); $clean = ( $GLOBALS['setting']['sanitize_callback'] )( $with ); break;
		case 'settings page': ob_start(); do_action( 'admin_menu' ); ( $GLOBALS['menu'][5] )(); $printed .= ob_get_clean(); break;
		case 'links': $printed .= implode( apply_filters( 'plugin_action_links_regulars-for-woocommerce/regulars-for-woocommerce.php', array( 'off' ) ) ); break;
		case 'fields': $printed .= json_encode( apply_filters( 'woocommerce_checkout_fields', array( 'billing' => array() ) ) ); break;
		case 'tag': $printed .= apply_filters( 'script_loader_tag', '<script src="x"></script>', $with ); break;
	}
}

echo json_encode(
	array(
		'posts'     => $GLOBALS['posts'],
		'orders'    => $orders,
		'session'   => WC()->session->kept,
		'lines'     => Regulars_Cart::quantities( WC()->cart->lines ),
		'redirects' => $GLOBALS['redirects'],
		'notices'   => $GLOBALS['notices'],
		'scripts'   => $GLOBALS['scripts'],
		'printed'   => $printed,
		'clean'     => $clean,
		'policy'    => $GLOBALS['policy'] ?? '',
		'errors'    => $GLOBALS['errors'],
		'field'     => $GLOBALS['field'] ?? null,
		'menu'      => array_slice( $GLOBALS['menu'] ?? array(), 0, 5 ),
		'link'      => ( new Regulars_Recovery() )->link( (string) ( WC()->session->kept['regulars_cart'] ?? '' ) ),
	)
);
