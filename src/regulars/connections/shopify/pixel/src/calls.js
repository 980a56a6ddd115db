// What a standard event of Shopify's says in the words of Segment's e-commerce spec. Pure.
//
// Names, mail addresses, phone numbers and postal addresses stay in the shop: what a browser says of a person proves nothing, and the
// shop's own API tells it.

const MOST_PRODUCTS = 100

const amount = (money) => (money ? money.amount : undefined)

const product = (variant, quantity, price) => {
  if (!variant) return undefined
  const of = variant.product || {}
  return {
    product_id: of.id || undefined,
    variant_id: variant.id || undefined,
    sku: variant.sku || undefined,
    name: of.title || undefined,
    variant: variant.title || undefined,
    brand: of.vendor || undefined,
    category: of.type || undefined,
    price: price === undefined ? amount(variant.price) : price,
    quantity,
    url: of.url || undefined,
    image_url: (variant.image && variant.image.src) || undefined
  }
}

const some = (list, each) => (list || []).slice(0, MOST_PRODUCTS).map(each).filter(Boolean)

const line = (of) => of && product(of.merchandise, of.quantity)

// What is paid for one: the line's final price is of all of them, after discounts.
const item = (of) => of && product(of.variant, of.quantity, of.quantity ? round(amount(of.finalLinePrice) / of.quantity) : undefined)

const round = (value) => (Number.isFinite(value) ? Math.round(value * 1e6) / 1e6 : undefined)

const code = (checkout) => {
  const found = (checkout.discountApplications || []).find((one) => one.type === 'DISCOUNT_CODE')
  return found ? found.title : undefined
}

const checkoutSums = (checkout) => ({
  checkout_id: checkout.token || undefined,
  currency: checkout.currencyCode || undefined,
  total: amount(checkout.totalPrice),
  tax: amount(checkout.totalTax),
  shipping: checkout.shippingLine ? amount(checkout.shippingLine.price) : undefined,
  discount: amount(checkout.discountsAmount),
  coupon: code(checkout),
  products: some(checkout.lineItems, item)
})

const delivery = (checkout) => {
  const options = (checkout.delivery && checkout.delivery.selectedDeliveryOptions) || []
  return options.length ? options[0].title || options[0].handle : undefined
}

const payment = (checkout) => {
  const [first] = checkout.transactions || []
  return first && ((first.paymentMethod && first.paymentMethod.name) || first.gateway)
}

const step = (name, number) => (data) => ({
  event: 'Checkout Step Completed',
  properties: {
    checkout_id: data.checkout.token || undefined,
    step: String(number),
    step_name: name,
    shipping_method: number > 2 ? delivery(data.checkout) : undefined
  }
})

const cartLine = (event) => (data) =>
  data.cartLine && {
    event,
    properties: { ...line(data.cartLine), currency: data.cartLine.cost.totalAmount.currencyCode }
  }

// By name of the event: what is told, or nothing. `cart` marks those that should name their cart.
export const MEANINGS = {
  page_viewed: (data, page) => ({ type: 'page', name: page.title, properties: page }),
  product_viewed: ({ productVariant }) => ({
    event: 'Product Viewed',
    properties: { ...product(productVariant), currency: productVariant.price.currencyCode, value: amount(productVariant.price) }
  }),
  collection_viewed: ({ collection }) => ({
    event: 'Product List Viewed',
    properties: {
      list_id: collection.id,
      category: collection.title,
      products: some(collection.productVariants, (one) => product(one))
    }
  }),
  search_submitted: ({ searchResult }) => ({ event: 'Products Searched', properties: { query: searchResult.query } }),
  product_added_to_cart: cartLine('Product Added'),
  product_removed_from_cart: cartLine('Product Removed'),
  cart_viewed: ({ cart }) =>
    cart && {
      event: 'Cart Viewed',
      properties: { currency: cart.cost.totalAmount.currencyCode, products: some(cart.lines, line) }
    },
  checkout_started: ({ checkout }) => ({
    event: 'Checkout Started',
    properties: { ...checkoutSums(checkout), value: amount(checkout.totalPrice), revenue: amount(checkout.subtotalPrice) }
  }),
  checkout_contact_info_submitted: step('contact', 1),
  checkout_address_info_submitted: step('address', 2),
  checkout_shipping_info_submitted: step('shipping', 3),
  payment_info_submitted: ({ checkout }) => ({
    event: 'Payment Info Entered',
    properties: {
      checkout_id: checkout.token || undefined,
      step: '4',
      shipping_method: delivery(checkout),
      payment_method: payment(checkout)
    }
  }),
  checkout_completed: ({ checkout }) => ({
    event: 'Order Completed',
    properties: {
      ...checkoutSums(checkout),
      order_id: (checkout.order && checkout.order.id) || undefined,
      subtotal: amount(checkout.subtotalPrice),
      revenue: amount(checkout.subtotalPrice)
    }
  })
}

const OF_CARTS = new Set(['product_added_to_cart', 'product_removed_from_cart', 'cart_viewed', 'checkout_started', 'checkout_completed'])

export const isOfCart = (event) => OF_CARTS.has(event.name)

export const checkoutToken = (event) => (event.data && event.data.checkout && event.data.checkout.token) || ''

// The token that webhooks carts/create and carts/update have as `id`, and checkouts and orders as `cart_token`: out of the Storefront
// API's id (gid://shopify/Cart/TOKEN?key=...) or the shop's cookie (TOKEN, or TOKEN?key=... escaped).
export const cartToken = (text) => {
  let plain = text || ''
  try {
    plain = decodeURIComponent(plain)
  } catch (broken) {
    plain = ''
  }
  return plain.replace(/^gid:\/\/shopify\/Cart\//, '').split('?')[0]
}
