<?php
/**
 * As much of WordPress and WooCommerce as the plugin calls, kept in memory. A run reads steps as JSON from its input and prints what came of them.
 */

define( 'ABSPATH', __DIR__ );
define( 'DAY_IN_SECONDS', 86400 );

$GLOBALS['hooks'] = array();
$GLOBALS['done']  = array();
$GLOBALS['posts'] = array();
$GLOBALS['page']  = array();
$GLOBALS['errors'] = array();
$GLOBALS['redirects'] = array();
$GLOBALS['scripts'] = array();
$GLOBALS['notices'] = array();
$GLOBALS['user'] = 0;
$GLOBALS['caps'] = array();
$GLOBALS['reachable'] = true;

function add_action( $name, $call, $priority = 10, $count = 1 ) {
	$GLOBALS['hooks'][ $name ][ $priority ][] = array( $call, $count );
}
function add_filter( $name, $call, $priority = 10, $count = 1 ) {
	add_action( $name, $call, $priority, $count );
}
function do_action( $name, ...$given ) {
	$GLOBALS['done'][ $name ] = 1 + ( $GLOBALS['done'][ $name ] ?? 0 );
	apply_filters( $name, ...( $given ? $given : array( null ) ) );
}
function apply_filters( $name, $value, ...$more ) {
	$hooks = $GLOBALS['hooks'][ $name ] ?? array();
	ksort( $hooks );
	foreach ( $hooks as $calls ) {
		foreach ( $calls as list( $call, $count ) ) {
			$value = $call( ...array_slice( array( $value, ...$more ), 0, $count ) );
		}
	}
	return $value;
}
function did_action( $name ) { return $GLOBALS['done'][ $name ] ?? 0; }

// --- options ---------------------------------------------------------------------------------------------------------

function get_option( $name, $default = false ) { return $GLOBALS['options'][ $name ] ?? $default; }
function add_option( $name, $value ) { $GLOBALS['options'][ $name ] = $GLOBALS['options'][ $name ] ?? $value; }
function get_transient( $name ) { return $GLOBALS['transients'][ $name ] ?? false; }
function set_transient( $name, $value, $seconds ) { $GLOBALS['transients'][ $name ] = $value; }
function delete_transient( $name ) { unset( $GLOBALS['transients'][ $name ] ); }
function register_setting( $page, $name, $how ) { $GLOBALS['setting'] = $how; }
function plugin_basename( $file ) { return 'regulars-for-woocommerce/' . basename( $file ); }
function wp_add_privacy_policy_content( $name, $text ) { $GLOBALS['policy'] = $text; }
function settings_fields( $page ) { echo '<nonce>'; }
function settings_errors( $name ) {}
function add_settings_error( $setting, $code, $sentence ) { $GLOBALS['errors'][] = $sentence; }
function add_submenu_page( ...$given ) { $GLOBALS['menu'] = $given; }
function submit_button() { echo '<button>'; }
function selected( $one, $other ) { return $one === $other ? ' selected' : ''; }

// --- text ------------------------------------------------------------------------------------------------------------

function __( $text ) { return $text; }
function esc_html__( $text ) { return esc_html( $text ); }
function esc_html( $text ) { return htmlspecialchars( $text, ENT_QUOTES ); }
function esc_attr( $text ) { return htmlspecialchars( $text, ENT_QUOTES ); }
function esc_url( $url ) { return htmlspecialchars( $url, ENT_QUOTES ); }
function esc_url_raw( $url, $schemes = array() ) { return preg_match( '#^(' . implode( '|', $schemes ) . ')://#', $url ) ? $url : ''; }
function sanitize_text_field( $text ) { return trim( preg_replace( '/[\r\n\t ]+/', ' ', strip_tags( $text ) ) ); }
function sanitize_email( $text ) { return preg_replace( '/[^A-Za-z0-9.@_+-]/', '', $text ); }
function is_email( $text ) { return (bool) preg_match( '/^[^@\s]+@[^@\s]+\.[^@\s]+$/', $text ); }
function wp_unslash( $value ) { return is_string( $value ) ? stripslashes( $value ) : $value; }
function wp_strip_all_tags( $text ) { return strip_tags( $text ); }
function untrailingslashit( $text ) { return rtrim( $text, '/' ); }
function wp_parse_url( $url ) { return parse_url( $url ); }
function wp_parse_args( $given, $defaults ) { return array_merge( $defaults, $given ); }
function wp_json_encode( $value, $how = 0 ) { return json_encode( $value, $how ); }
function wp_generate_uuid4() { static $count = 0; return 'message-' . ( ++$count ); }
function add_query_arg( $name, $value, $url ) { return $url . ( strpos( $url, '?' ) ? '&' : '?' ) . $name . '=' . $value; }
function remove_query_arg( $name ) { return preg_replace( '/[?&]' . $name . '=[^&]*/', '', $_SERVER['REQUEST_URI'] ); }
function admin_url( $path ) { return 'https://shop.test/wp-admin/' . $path; }
function plugins_url( $path, $file ) { return 'https://shop.test/wp-content/plugins/regulars/' . $path; }

// --- the request -----------------------------------------------------------------------------------------------------

class WP_Error {}
function is_wp_error( $value ) { return $value instanceof WP_Error; }
function wp_remote_post( $url, $how ) {
	if ( ! $GLOBALS['reachable'] ) {
		$GLOBALS['posts'][] = 'failed';
		return new WP_Error();
	}
	$GLOBALS['posts'][] = array( 'url' => $url, 'how' => array_diff_key( $how, array( 'body' => 1 ) ), 'body' => json_decode( $how['body'] ) );
	return array();
}
function is_admin() { return false; }
function is_product() { return 'product' === ( $GLOBALS['page']['is'] ?? '' ); }
function is_product_category() { return 'category' === ( $GLOBALS['page']['is'] ?? '' ); }
function is_search() { return 'search' === ( $GLOBALS['page']['is'] ?? '' ); }
function is_cart() { return 'cart' === ( $GLOBALS['page']['is'] ?? '' ); }
function is_checkout() { return 'checkout' === ( $GLOBALS['page']['is'] ?? '' ); }
function is_wc_endpoint_url() { return false; }
function get_queried_object_id() { return $GLOBALS['page']['id']; }
function get_queried_object() { return (object) $GLOBALS['page']['object']; }
function get_search_query( $escaped ) { return $GLOBALS['page']['query']; }
function get_current_user_id() { return $GLOBALS['user']; }
function wp_get_current_user() { return (object) array( 'ID' => $GLOBALS['user'], 'user_email' => 'account@example.com' ); }
function current_user_can( $capability ) { return in_array( $capability, $GLOBALS['caps'], true ); }
function get_user_meta( $user, $name, $single ) { return $GLOBALS['meta'][ $user ][ $name ] ?? ''; }
function update_user_meta( $user, $name, $value ) { $GLOBALS['meta'][ $user ][ $name ] = $value; }
function delete_user_meta( $user, $name ) { unset( $GLOBALS['meta'][ $user ][ $name ] ); }
function user_can( $user, $capability ) { return in_array( $capability, $user->caps ?? array(), true ); }
function check_ajax_referer( $action, $field ) { if ( 'nonce-' . $action !== ( $_POST[ $field ] ?? '' ) ) { throw new Exception( 'nonce' ); } }
function wp_create_nonce( $action ) { return 'nonce-' . $action; }
function wp_send_json_success() {}
function wp_safe_redirect( $url ) { $GLOBALS['redirects'][] = $url; }
function wp_enqueue_script( $handle, $url = '', $needs = array(), $version = false, $how = array() ) { $GLOBALS['scripts'][ $handle ]['url'] = $url; }
function wp_register_script( $handle, $url ) { $GLOBALS['scripts'][ $handle ]['url'] = $url; }
function wp_add_inline_script( $handle, $text, $where ) { $GLOBALS['scripts'][ $handle ][ $where ] = $text; }
function wp_localize_script( $handle, $name, $value ) { $GLOBALS['scripts'][ $handle ][ $name ] = $value; }

// --- WooCommerce -----------------------------------------------------------------------------------------------------

class WooCommerce {
	public $cart;
	public $session;
}
function WC() { return $GLOBALS['woo']; }
class WC_Session {
	public $kept = array();
	public function get( $name, $default = null ) { return $this->kept[ $name ] ?? $default; }
	public function set( $name, $value ) { $this->kept[ $name ] = $value; }
	public function set_customer_session_cookie( $is_set ) {}
}
class WC_Cart {
	public $lines = array();
	public function get_cart() { return $this->lines; }
	public function add_to_cart( $product, $quantity, $variation = 0, $chosen = array() ) {
		$key = $product . '-' . $variation;
		$quantity += $this->lines[ $key ]['quantity'] ?? 0;
		$this->lines[ $key ] = array(
			'product_id'   => $product,
			'variation_id' => $variation,
			'quantity'     => $quantity,
			'variation'    => $chosen,
			'data'         => wc_get_product( $variation ? $variation : $product ),
		);
	}
	public function empty_cart() {
		$this->lines = array();
		do_action( 'woocommerce_cart_emptied' );
	}
}
class WC_Product {
	private $said;
	public function __construct( $said ) { $this->said = $said; }
	public function get_id() { return $this->said['id']; }
	public function get_parent_id() { return $this->said['parent'] ?? 0; }
	public function is_type( $type ) { return 'variation' === $type && isset( $this->said['parent'] ); }
	public function get_sku() { return $this->said['sku']; }
	public function get_name() { return $this->said['name']; }
	public function get_image_id() { return 0; }
	public function get_permalink() { return 'https://shop.test/p/' . $this->said['id']; }
	public function price() { return $this->said['price']; }
}
class WC_Order {
	public $meta = array();
	public function update_meta_data( $name, $value ) { $this->meta[ $name ] = $value; }
	public function delete_meta_data( $name ) { unset( $this->meta[ $name ] ); }
	public function get_billing_email() { return 'buyer@example.com'; }
}
function wc_get_product( $id ) {
	$known = array(
		10 => array( 'id' => 10, 'sku' => 'MUG', 'name' => 'Mug &amp; <b>Plate</b></script>', 'price' => '12.50' ),
		20 => array( 'id' => 20, 'sku' => 'SHIRT', 'name' => 'Shirt', 'price' => '20' ),
		21 => array( 'id' => 21, 'sku' => 'SHIRT-M', 'name' => 'Shirt - M', 'price' => '20', 'parent' => 20 ),
	);
	return isset( $known[ $id ] ) ? new WC_Product( $known[ $id ] ) : false;
}
function wc_get_product_category_list( $id, $separator ) { return '<a href="#">Kitchen &amp; Co</a>'; }
function wc_get_formatted_variation( $product, $flat, $names ) { return 'M'; }
function wc_prices_include_tax() { return true; }
function wc_get_price_including_tax( $product ) { return $product->price(); }
function get_woocommerce_currency() { return 'EUR'; }
function wc_get_cart_url() { return 'https://shop.test/cart/'; }
function wc_add_notice( $text, $kind ) { $GLOBALS['notices'][] = $text; }
function woocommerce_register_additional_checkout_field( $field ) { $GLOBALS['field'] = $field; }
