// Runs the pixel against a stand-in for Shopify's strict sandbox, with events as its standard events are documented.
// node --test src/regulars/connections/shopify/pixel/tests/pixel.test.mjs
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { start } from '../src/pixel.js'

const CART = 'hWN1jC0dTb8XmE4yKbW7XPZa'
const CHECKOUT = '3f0c1c4be0a54d1e9e6d3a0f5f0f2b11'
const SHOP = 'https://fake-goods.example'

const money = (amount, currencyCode = 'EUR') => ({ amount, currencyCode })
const variant = (more = {}) => ({
  id: '42', image: { src: SHOP + '/tea.jpg' }, price: money(12.99), sku: 'T-1', title: 'Green', untranslatedTitle: 'Green',
  product: { id: '7', title: 'Tea', type: 'Drinks', untranslatedTitle: 'Tea', url: '/products/tea', vendor: 'Acme' }, ...more
})
const checkout = (more = {}) => ({
  attributes: [], billingAddress: null, buyerAcceptsEmailMarketing: true, buyerAcceptsSmsMarketing: false, currencyCode: 'EUR',
  delivery: { selectedDeliveryOptions: [{ cost: money(4.9), costAfterDiscounts: money(4.9), description: null, handle: 'p', title: 'Parcel', type: 'shipping' }] },
  discountApplications: [{ allocationMethod: 'ACROSS', targetSelection: 'ALL', targetType: 'LINE_ITEM', title: 'SAVE10', type: 'DISCOUNT_CODE', value: { percentage: 10 } }],
  discountsAmount: money(2.6), email: 'ann@example.com',
  lineItems: [{ discountAllocations: [], finalLinePrice: money(23.38), id: '1', properties: [], quantity: 2, sellingPlanAllocation: null, title: 'Tea', variant: variant() }],
  localization: { country: { isoCode: 'DE' }, language: { isoCode: 'de' }, market: { handle: 'de', id: '1' } },
  order: null, phone: '+4915112345678',
  shippingAddress: { address1: 'Street 1', address2: null, city: 'Berlin', country: 'Germany', countryCode: 'DE', firstName: 'Ann', lastName: 'Lee', phone: null, province: null, provinceCode: null, zip: '10115' },
  shippingLine: { price: money(4.9) }, smsMarketingPhone: null, subtotalPrice: money(23.38), token: CHECKOUT, totalPrice: money(28.28),
  totalTax: money(4.51), transactions: [{ amount: money(28.28), gateway: 'shopify_payments', paymentMethod: { name: 'VISA', type: 'creditCard' } }], ...more
})

const context = {
  document: { characterSet: 'UTF-8', location: { hash: '', host: 'fake-goods.example', hostname: 'fake-goods.example', href: SHOP + '/products/tea?a=1', origin: SHOP, pathname: '/products/tea', port: '', protocol: 'https:', search: '?a=1' }, referrer: 'https://search.example/', title: 'Tea' },
  navigator: { cookieEnabled: true, language: 'de-DE', languages: ['de-DE'], userAgent: 'Test/1' },
  window: { screen: { height: 800, width: 1200 } }
}

const sandbox = ({ allowed = true, cookie = '', cart = null, answers = [] } = {}) => {
  const subscribed = {}
  const consents = []
  const stored = {}
  const sent = []
  let count = 0
  const api = {
    settings: { host: 'https://crm.example/', key: 'browser-key' },
    analytics: { subscribe: (name, callback) => { subscribed[name] = callback } },
    browser: {
      cookie: { get: async (name) => { assert.equal(name, 'cart'); return api.cookie } },
      sessionStorage: { getItem: async (name) => stored[name] ?? null, setItem: async (name, value) => { stored[name] = value } }
    },
    init: { context, data: { customer: null, cart, shop: { myshopifyDomain: 'fake-goods.myshopify.com' }, purchasingCompany: null }, customerPrivacy: { analyticsProcessingAllowed: allowed, marketingAllowed: false, preferencesProcessingAllowed: false, saleOfDataAllowed: false } },
    customerPrivacy: { subscribe: (name, callback) => { assert.equal(name, 'visitorConsentCollected'); consents.push(callback) } },
    cookie
  }
  const send = async (address, options) => {
    const answer = answers.shift() ?? 200
    if (answer === 0) throw new TypeError('Failed to fetch')
    sent.push({ address, options, body: JSON.parse(options.body), answer })
    return { ok: answer < 300, status: answer }
  }
  start(api, send)
  const fire = (name, data) =>
    subscribed[name]({ clientId: 'client-1', context, data, id: 'event-' + ++count, name, seq: count, timestamp: '2026-11-02T09:00:00.000Z', type: 'standard' })
  return { api, consents, fire, sent, stored, subscribed, calls: () => sent.filter((one) => one.answer < 300).flatMap((one) => one.body.batch) }
}

test('every documented step of a purchase becomes its event, all of one cart', async () => {
  const shop = sandbox({ cookie: encodeURIComponent(CART + '?key=abc') })
  await shop.fire('page_viewed', {})
  await shop.fire('collection_viewed', { collection: { id: '9', title: 'Drinks', productVariants: [variant()] } })
  await shop.fire('search_submitted', { searchResult: { query: 'green tea', productVariants: [] } })
  await shop.fire('product_viewed', { productVariant: variant() })
  await shop.fire('product_added_to_cart', { cartLine: { cost: { totalAmount: money(25.98) }, merchandise: variant(), quantity: 2 } })
  await shop.fire('cart_viewed', { cart: { attributes: [], cost: { totalAmount: money(25.98) }, id: `gid://shopify/Cart/${CART}?key=abc`, lines: [{ cost: { totalAmount: money(25.98) }, merchandise: variant(), quantity: 2 }], totalQuantity: 2 } })
  await shop.fire('product_removed_from_cart', { cartLine: { cost: { totalAmount: money(12.99) }, merchandise: variant(), quantity: 1 } })
  await shop.fire('checkout_started', { checkout: checkout() })
  await shop.fire('checkout_contact_info_submitted', { checkout: checkout() })
  await shop.fire('checkout_address_info_submitted', { checkout: checkout() })
  await shop.fire('checkout_shipping_info_submitted', { checkout: checkout() })
  await shop.fire('payment_info_submitted', { checkout: checkout() })
  shop.api.cookie = ''
  await shop.fire('checkout_completed', { checkout: checkout({ order: { id: '1001', customer: null } }) })
  const calls = shop.calls()
  // For a test on the other side, which reads them as the server does.
  if (process.env.PIXEL_CALLS) writeFileSync(process.env.PIXEL_CALLS, JSON.stringify(shop.sent.map((one) => one.options.body)))
  assert.deepEqual(calls.map((one) => one.event ?? one.type), ['page', 'Product List Viewed', 'Products Searched', 'Product Viewed', 'Product Added', 'Cart Viewed', 'Product Removed', 'Checkout Started', 'Checkout Step Completed', 'Checkout Step Completed', 'Checkout Step Completed', 'Payment Info Entered', 'Order Completed'])
  const carts = calls.filter((one) => ['Product Added', 'Cart Viewed', 'Product Removed', 'Checkout Started', 'Order Completed'].includes(one.event))
  assert.deepEqual(carts.map((one) => one.properties.cart_id), Array(5).fill(CART))
  assert.deepEqual(calls.filter((one) => one.properties.checkout_id).map((one) => one.properties.checkout_id), Array(6).fill(CHECKOUT))
  assert.deepEqual(calls.filter((one) => one.properties.step).map((one) => [one.properties.step, one.properties.shipping_method]), [['1', undefined], ['2', undefined], ['3', 'Parcel'], ['4', 'Parcel']])
})

test('a call says who, when, where and under which key, and the body needs no question beforehand', async () => {
  const shop = sandbox()
  await shop.fire('product_viewed', { productVariant: variant() })
  const [{ address, options, body }] = shop.sent
  assert.equal(address, 'https://crm.example/v1/batch')
  assert.deepEqual([options.method, options.keepalive, options.headers, options.credentials], ['POST', true, undefined, 'omit'])
  assert.equal(body.writeKey, 'browser-key')
  assert.match(body.sentAt, /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(body.batch, [{
    type: 'track', event: 'Product Viewed', anonymousId: 'client-1', messageId: 'event-1', timestamp: '2026-11-02T09:00:00.000Z',
    properties: { product_id: '7', variant_id: '42', sku: 'T-1', name: 'Tea', variant: 'Green', brand: 'Acme', category: 'Drinks', price: 12.99, url: '/products/tea', image_url: SHOP + '/tea.jpg', currency: 'EUR', value: 12.99 },
    context: {
      library: { name: 'regulars-shopify-pixel', version: '1.0.0' }, locale: 'de-DE', userAgent: 'Test/1', screen: { height: 800, width: 1200 },
      page: { path: '/products/tea', referrer: 'https://search.example/', search: '?a=1', title: 'Tea', url: SHOP + '/products/tea?a=1' }
    }
  }])
})

test('an order tells its sums and lines, what one really cost, and nobody by name', async () => {
  const shop = sandbox({ cookie: CART })
  await shop.fire('checkout_completed', { checkout: checkout({ order: { id: '1001', customer: { id: '5', isFirstOrder: true } } }) })
  const [call] = shop.calls()
  const { products, ...sums } = call.properties
  assert.deepEqual(sums, { checkout_id: CHECKOUT, currency: 'EUR', total: 28.28, tax: 4.51, shipping: 4.9, discount: 2.6, coupon: 'SAVE10', order_id: '1001', subtotal: 23.38, revenue: 23.38, cart_id: CART })
  assert.deepEqual(products.map((one) => [one.sku, one.quantity, one.price]), [['T-1', 2, 11.69]])
  for (const secret of ['ann@example.com', '+4915112345678', 'Ann', 'Street 1', '10115']) assert.ok(!JSON.stringify(call).includes(secret), secret)
})

test('a checkout without a cart names itself', async () => {
  const shop = sandbox()
  await shop.fire('checkout_started', { checkout: checkout() })
  assert.equal(shop.calls()[0].properties.cart_id, CHECKOUT)
})

test('the cart of the page counts where the cookie says nothing', async () => {
  const shop = sandbox({ cart: { id: `gid://shopify/Cart/${CART}` } })
  await shop.fire('product_added_to_cart', { cartLine: { cost: { totalAmount: money(12.99) }, merchandise: variant(), quantity: 1 } })
  assert.equal(shop.calls()[0].properties.cart_id, CART)
})

test('without consent nothing is told or stored, from its giving on everything, and after its taking nothing again', async () => {
  const shop = sandbox({ allowed: false })
  await shop.fire('checkout_started', { checkout: checkout() })
  assert.deepEqual([shop.sent, shop.stored], [[], {}])
  shop.consents[0]({ customerPrivacy: { analyticsProcessingAllowed: true } })
  await shop.fire('product_viewed', { productVariant: variant() })
  assert.equal(shop.calls().length, 1)
  shop.consents[0]({ customerPrivacy: { analyticsProcessingAllowed: false } })
  await shop.fire('product_viewed', { productVariant: variant() })
  assert.equal(shop.sent.length, 1)
})

test('what the server was too busy for, or what got lost, comes with the next event, once', async () => {
  const shop = sandbox({ answers: [503, 0, 200, 400, 200] })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await shop.fire('search_submitted', { searchResult: { query: name, productVariants: [] } })
  assert.deepEqual(shop.sent.map((one) => [one.answer, one.body.batch.map((call) => call.properties.query)]), [[503, ['a']], [200, ['a', 'b', 'c']], [400, ['d']], [200, ['e']]])
})

test('an event that does not look as documented disturbs nobody', async () => {
  const shop = sandbox()
  await shop.fire('product_viewed', {})
  await shop.fire('product_added_to_cart', { cartLine: null })
  await shop.fire('cart_viewed', { cart: null })
  await shop.fire('page_viewed', undefined)
  assert.deepEqual(shop.calls().map((one) => one.type), ['page'])
})
