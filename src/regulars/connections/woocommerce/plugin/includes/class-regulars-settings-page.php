<?php
/**
 * The page WooCommerce, Regulars.
 *
 * @package Regulars
 */

defined( 'ABSPATH' ) || exit;

/**
 * Shows the settings to who may manage the shop.
 */
class Regulars_Settings_Page {

	const PAGE = 'regulars';

	/**
	 * The settings shown.
	 *
	 * @var Regulars_Settings
	 */
	private $settings;

	/**
	 * Made with what it shows.
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
		add_action( 'admin_menu', array( $this, 'add_page' ), 70 );
		add_action( 'admin_init', array( $this, 'add_setting' ) );
		add_action( 'admin_init', array( $this, 'suggest_policy' ) );
		add_filter( 'option_page_capability_' . self::PAGE, array( $this, 'capability' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( REGULARS_FILE ), array( $this, 'add_link' ) );
	}

	/**
	 * A way to the settings from the list of plugins.
	 *
	 * @param array<int|string, string> $links Of this plugin.
	 * @return array<int|string, string>
	 */
	public function add_link( $links ) {
		$link = '<a href="' . esc_url( admin_url( 'admin.php?page=' . self::PAGE ) ) . '">' . esc_html__( 'Settings', 'regulars-for-woocommerce' ) . '</a>';
		return array_merge( array( $link ), $links );
	}

	/**
	 * Words for the shop's privacy policy, which WordPress offers to its author.
	 */
	public function suggest_policy() {
		$words = __( 'Our own customer system notes which pages of this shop you look at and what you put into your cart, so that we can help you finish an order and write to you where you agreed. Once you agree, a cookie (regulars_id, 400 days) recognises your browser. Nothing of this goes to anybody else, and nothing is noted if your browser sends Do Not Track or Global Privacy Control.', 'regulars-for-woocommerce' );
		wp_add_privacy_policy_content( 'Regulars for WooCommerce', '<p>' . esc_html( $words ) . '</p>' );
	}

	/**
	 * Who may see and save it.
	 *
	 * @return string
	 */
	public function capability() {
		return 'manage_woocommerce';
	}

	/**
	 * Puts the page into WooCommerce's menu.
	 */
	public function add_page() {
		$title = __( 'Regulars', 'regulars-for-woocommerce' );
		add_submenu_page( 'woocommerce', $title, $title, $this->capability(), self::PAGE, array( $this, 'show' ) );
	}

	/**
	 * Has WordPress save the option, cleaned.
	 */
	public function add_setting() {
		register_setting(
			self::PAGE,
			Regulars_Settings::OPTION,
			array(
				'type'              => 'array',
				'sanitize_callback' => array( $this->settings, 'clean' ),
				'default'           => array(),
			)
		);
	}

	/**
	 * Prints the page.
	 */
	public function show() {
		if ( ! current_user_can( $this->capability() ) ) {
			return;
		}
		$state = $this->settings->is_connected()
			? __( 'Connected. Carts, recovery links and the newsletter box are on.', 'regulars-for-woocommerce' )
			: __( 'Not connected yet. In Regulars, open Connections and your shop, copy its connection code and paste it here.', 'regulars-for-woocommerce' );
		echo '<div class="wrap"><h1>' . esc_html__( 'Regulars', 'regulars-for-woocommerce' ) . '</h1><p>' . esc_html( $state ) . '</p>';
		settings_errors( Regulars_Settings::OPTION );
		echo '<form method="post" action="' . esc_url( admin_url( 'options.php' ) ) . '">';
		settings_fields( self::PAGE );
		echo '<table class="form-table" role="presentation">';
		$this->line( 'code', __( 'Connection code', 'regulars-for-woocommerce' ), '', 'password', __( 'Fills the three fields below.', 'regulars-for-woocommerce' ) );
		$this->line( 'address', __( 'Address of Regulars', 'regulars-for-woocommerce' ), $this->settings->get( 'address' ), 'url' );
		$this->line( 'browser_key', __( 'Browser key', 'regulars-for-woocommerce' ), $this->settings->get( 'browser_key' ), 'text', __( 'Everybody can read it in your pages.', 'regulars-for-woocommerce' ) );
		$this->line( 'server_key', __( 'Server key', 'regulars-for-woocommerce' ), '', 'password', __( 'Secret; leave empty to keep the present one.', 'regulars-for-woocommerce' ) );
		$this->choice(
			'consent',
			__( 'Tracking', 'regulars-for-woocommerce' ),
			array(
				'required'   => __( 'Only after the visitor agreed', 'regulars-for-woocommerce' ),
				'cookieless' => __( 'Without storing anything until the visitor agreed', 'regulars-for-woocommerce' ),
				'given'      => __( 'At once', 'regulars-for-woocommerce' ),
			)
		);
		$this->choice(
			'early_email',
			__( 'Email typed at checkout, before the order', 'regulars-for-woocommerce' ),
			array(
				'consent' => __( 'Tell it once the newsletter box is ticked', 'regulars-for-woocommerce' ),
				'always'  => __( 'Tell it, so that an abandoned cart can be written to', 'regulars-for-woocommerce' ),
				'never'   => __( 'Never tell it', 'regulars-for-woocommerce' ),
			)
		);
		$this->choice(
			'newsletter',
			__( 'Newsletter box at checkout', 'regulars-for-woocommerce' ),
			array(
				'yes' => __( 'Show it', 'regulars-for-woocommerce' ),
				'no'  => __( 'Do not show it', 'regulars-for-woocommerce' ),
			)
		);
		$this->line( 'newsletter_text', __( 'Words beside the box', 'regulars-for-woocommerce' ), $this->settings->newsletter_text() );
		echo '</table>';
		submit_button();
		echo '</form></div>';
	}

	/**
	 * One field.
	 *
	 * @param string $name  Of the setting.
	 * @param string $label Before it.
	 * @param string $value In it.
	 * @param string $type  Of the input.
	 * @param string $hint  Below it.
	 */
	private function line( $name, $label, $value, $type = 'text', $hint = '' ) {
		printf(
			'<tr><th scope="row"><label for="regulars-%1$s">%2$s</label></th><td><input class="regular-text" type="%3$s" id="regulars-%1$s" name="%4$s[%1$s]" value="%5$s" autocomplete="off"><p class="description">%6$s</p></td></tr>',
			esc_attr( $name ),
			esc_html( $label ),
			esc_attr( $type ),
			esc_attr( Regulars_Settings::OPTION ),
			esc_attr( $value ),
			esc_html( $hint )
		);
	}

	/**
	 * One choice among several.
	 *
	 * @param string                $name    Of the setting.
	 * @param string                $label   Before it.
	 * @param array<string, string> $options Value and words.
	 */
	private function choice( $name, $label, $options ) {
		printf(
			'<tr><th scope="row"><label for="regulars-%1$s">%2$s</label></th><td><select id="regulars-%1$s" name="%3$s[%1$s]">',
			esc_attr( $name ),
			esc_html( $label ),
			esc_attr( Regulars_Settings::OPTION )
		);
		foreach ( $options as $value => $words ) {
			printf( '<option value="%s"%s>%s</option>', esc_attr( $value ), selected( $this->settings->get( $name ), $value, false ), esc_html( $words ) );
		}
		echo '</select></td></tr>';
	}
}
