<?php
/**
 * Plugin Name:          Regulars for WooCommerce
 * Description:          Tells your own Regulars what shoppers do: pages, products, carts. Adds recovery links for carts and a newsletter box at checkout.
 * Version:              1.0.0
 * Requires at least:    6.5
 * Requires PHP:         7.4
 * Requires Plugins:     woocommerce
 * WC requires at least: 8.2
 * License:              GPL-2.0-or-later
 * License URI:          https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:          regulars-for-woocommerce
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

define( 'REGULARS_VERSION', '1.0.0' );
define( 'REGULARS_FILE', __FILE__ );

foreach ( array( 'settings', 'settings-page', 'visitor', 'sender', 'tracker', 'cart', 'recovery', 'checkout' ) as $regulars_part ) {
	require_once __DIR__ . '/includes/class-regulars-' . $regulars_part . '.php';
}

add_action(
	'before_woocommerce_init',
	function () {
		if ( class_exists( '\Automattic\WooCommerce\Utilities\FeaturesUtil' ) ) {
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( 'custom_order_tables', REGULARS_FILE, true );
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( 'cart_checkout_blocks', REGULARS_FILE, true );
		}
	}
);

add_action(
	'plugins_loaded',
	function () {
		if ( ! class_exists( 'WooCommerce' ) ) {
			return;
		}
		$settings = new Regulars_Settings();
		( new Regulars_Settings_Page( $settings ) )->register();
		if ( ! $settings->is_connected() ) {
			return;
		}
		$visitor  = new Regulars_Visitor( $settings );
		$sender   = new Regulars_Sender( $settings, $visitor );
		$recovery = new Regulars_Recovery();
		$cart     = new Regulars_Cart( $sender, $visitor, $recovery );
		( new Regulars_Tracker( $settings ) )->register();
		$sender->register();
		$recovery->register();
		$cart->register();
		( new Regulars_Checkout( $settings, $sender, $visitor, $cart ) )->register();
	}
);
