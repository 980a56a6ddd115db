<?php
/**
 * Leaves nothing of its own behind. What stands with orders belongs to the orders.
 *
 * @package Regulars
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

delete_option( 'regulars_settings' );
delete_option( 'regulars_link_secret' );
delete_transient( 'regulars_pause' );
delete_metadata( 'user', 0, '_regulars_told', '', true );
