<?php
/*
 * Plugin Name: Distributor code on orders
 * Description: Keeps the code of the link (?ref=CODE) and writes it on the order as distributor_code.
 */

add_action('init', function () {
    if (empty($_GET['ref'])) {
        return;
    }
    $code = sanitize_text_field(wp_unslash($_GET['ref']));
    setcookie('upline_ref', $code, [
        'expires'  => time() + 30 * DAY_IN_SECONDS,
        'path'     => '/',
        'secure'   => is_ssl(),
        'httponly' => true,
        'samesite' => 'Lax',
    ]);
    $_COOKIE['upline_ref'] = $code;
});

function distributor_code_on_order($order) {
    if (!empty($_COOKIE['upline_ref']) && !$order->get_meta('distributor_code')) {
        $code = sanitize_text_field(wp_unslash($_COOKIE['upline_ref']));
        $order->update_meta_data('distributor_code', $code);
    }
}

// The classic checkout saves the order afterwards itself; the block checkout does not.
add_action('woocommerce_checkout_create_order', 'distributor_code_on_order');
add_action('woocommerce_store_api_checkout_update_order_meta', function ($order) {
    distributor_code_on_order($order);
    $order->save();
});
