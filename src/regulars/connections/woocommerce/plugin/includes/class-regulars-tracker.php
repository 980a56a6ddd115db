<?php
/**
 * The tracker in the shop's pages, and what each page says of itself.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * Nothing printed here depends on who looks, so that pages can be cached.
 */
class Regulars_Tracker {

	const HANDLE = 'regulars-tracker';

	/**
	 * The settings.
	 *
	 * @var Regulars_Settings
	 */
	private $settings;

	/**
	 * Made with where the tracker lies.
	 *
	 * @param Regulars_Settings $settings The settings.
	 */
	public function __construct( $settings ) {
		$this->settings = $settings;
	}

	/**
	 * Hooks.
	 */
	public function register() {
		add_action( 'wp_enqueue_scripts', array( $this, 'enqueue' ) );
		add_filter( 'script_loader_tag', array( $this, 'add_options' ), 10, 2 );
	}

	/**
	 * The tracker, our few lines beside it, and the page's data layer before both.
	 */
	public function enqueue() {
		// phpcs:ignore WordPress.WP.EnqueuedResourceParameters.MissingVersion -- The file says itself how long it may be kept.
		wp_enqueue_script( self::HANDLE, $this->settings->get( 'address' ) . '/regulars.js', array(), null, array( 'strategy' => 'async' ) );
		$layer = wp_json_encode( $this->layer(), JSON_HEX_TAG | JSON_HEX_AMP );
		wp_add_inline_script( self::HANDLE, '(window.regularsLayer = window.regularsLayer || []).push(...' . $layer . ');', 'before' );
		wp_register_script( 'regulars-shop', plugins_url( 'assets/shop.js', REGULARS_FILE ), array(), REGULARS_VERSION, true );
		wp_localize_script( 'regulars-shop', 'regularsShop', array( 'keepsId' => 'cookieless' !== $this->settings->get( 'consent' ) ) );
		wp_enqueue_script( 'regulars-shop' );
	}

	/**
	 * The tracker reads its options from its own tag.
	 *
	 * @param string $tag    Of the script.
	 * @param string $handle Its name.
	 * @return string
	 */
	public function add_options( $tag, $handle ) {
		if ( self::HANDLE !== $handle ) {
			return $tag;
		}
		$options = ' data-key="' . esc_attr( $this->settings->get( 'browser_key' ) ) . '"';
		$consent = $this->settings->get( 'consent' );
		if ( 'given' !== $consent ) {
			$options .= ' data-consent="' . esc_attr( $consent ) . '"';
		}
		return str_replace( ' src=', $options . ' src=', $tag );
	}

	/**
	 * What this page is about, as entries of the tracker's data layer.
	 *
	 * @return array<int, array<int, mixed>>
	 */
	public function layer() {
		if ( is_product() ) {
			$product = wc_get_product( get_queried_object_id() );
			return $product ? array( array( 'product', self::describe( $product ) ) ) : array();
		}
		if ( is_product_category() ) {
			$category = get_queried_object();
			$said     = array(
				'list_id'  => (string) $category->term_id,
				'category' => $category->name,
			);
			return array( array( 'track', 'Product List Viewed', $said ) );
		}
		if ( is_search() ) {
			return array( array( 'track', 'Products Searched', array( 'query' => get_search_query( false ) ) ) );
		}
		return array();
	}

	/**
	 * A product as the e-commerce spec has it, by the price that the shop's orders are kept in.
	 *
	 * @param WC_Product $product A product or variation.
	 * @return array<string, mixed>
	 */
	public static function describe( $product ) {
		$parent     = $product->get_parent_id();
		$variation  = $parent && $product->is_type( 'variation' );
		$categories = wc_get_product_category_list( $variation ? $parent : $product->get_id(), ' / ' );
		$image      = $product->get_image_id() ? wp_get_attachment_image_url( $product->get_image_id(), 'woocommerce_thumbnail' ) : '';
		$said       = array(
			'product_id' => (string) ( $variation ? $parent : $product->get_id() ),
			'sku'        => (string) $product->get_sku(),
			'name'       => html_entity_decode( wp_strip_all_tags( $product->get_name() ), ENT_QUOTES, 'UTF-8' ),
			'category'   => html_entity_decode( wp_strip_all_tags( (string) $categories ), ENT_QUOTES, 'UTF-8' ),
			'price'      => self::price( $product ),
			'currency'   => get_woocommerce_currency(),
			'url'        => $product->get_permalink(),
			'image_url'  => (string) $image,
		);
		if ( $variation ) {
			$said['variant']    = wc_get_formatted_variation( $product, true, false );
			$said['variant_id'] = (string) $product->get_id();
		}
		return $said;
	}

	/**
	 * With tax where the shop's prices include it.
	 *
	 * @param WC_Product $product A product or variation.
	 * @return float
	 */
	private static function price( $product ) {
		return (float) ( wc_prices_include_tax() ? wc_get_price_including_tax( $product ) : wc_get_price_excluding_tax( $product ) );
	}
}
