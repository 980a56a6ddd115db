// Regulars' web pixel for Shopify's strict sandbox: there is no page here, only `analytics`, `browser`, `init` and the consents.
//
// It says what happened (see calls.js) to /v1/batch under a browser key, and nothing while analytics are not allowed.
import { MEANINGS, cartToken, checkoutToken, isOfCart } from './calls.js'

const VERSION = '1.0.0'
const KEPT = 'regulars.cart.'
const MOST_WAITING = 50
const MOST_SENT = 20

export const start = ({ analytics, browser, init, settings, customerPrivacy }, send) => {
  const address = settings.host.replace(/\/+$/, '') + '/v1/batch'
  const waiting = []
  let isAllowed = init.customerPrivacy.analyticsProcessingAllowed
  let turn = Promise.resolve()

  customerPrivacy.subscribe('visitorConsentCollected', (event) => {
    isAllowed = event.customerPrivacy.analyticsProcessingAllowed
    if (!isAllowed) waiting.length = 0
  })

  // The shop's cookie knows the cart of now; what was there when the page came is older; a checkout that has neither names itself.
  const cartOf = async (event) => {
    const token = checkoutToken(event)
    const kept = token && (await quietly(() => browser.sessionStorage.getItem(KEPT + token)))
    if (kept) return kept
    const given = event.data && event.data.cart && event.data.cart.id
    const cookie = given ? '' : await quietly(() => browser.cookie.get('cart'))
    const known = cartToken(given) || cartToken(cookie) || cartToken(init.data.cart && init.data.cart.id) || token
    // The cookie is gone when the order is there: from the first step on, one checkout has one cart.
    if (token) await quietly(() => browser.sessionStorage.setItem(KEPT + token, known))
    return known
  }

  const call = async (event) => {
    const { document, navigator, window } = event.context || init.context
    const place = document.location
    const page = {
      path: place.pathname,
      referrer: document.referrer || undefined,
      search: place.search || undefined,
      title: document.title || undefined,
      url: place.href
    }
    const meaning = MEANINGS[event.name](event.data || {}, page)
    if (!meaning) return undefined
    if (isOfCart(event)) meaning.properties.cart_id = (await cartOf(event)) || undefined
    return {
      type: 'track',
      ...meaning,
      anonymousId: event.clientId,
      messageId: event.id,
      timestamp: event.timestamp,
      context: {
        library: { name: 'regulars-shopify-pixel', version: VERSION },
        locale: navigator.language,
        page,
        screen: window.screen,
        userAgent: navigator.userAgent
      }
    }
  }

  const flush = async () => {
    const batch = waiting.slice(0, MOST_SENT)
    if (!batch.length) return
    const body = JSON.stringify({ batch, sentAt: new Date().toISOString(), writeKey: settings.key })
    // A plain text needs no question beforehand; keepalive lets it arrive though the page goes.
    const answer = await send(address, { method: 'POST', body, keepalive: true, credentials: 'omit' })
    // Busy or broken is asked again with the next event; what the server does not want, it will not want later.
    if (answer.ok || (answer.status < 500 && answer.status !== 429)) waiting.splice(0, batch.length)
  }

  const tell = async (event) => {
    if (!isAllowed || !event.clientId) return
    const told = await call(event)
    if (!told || !isAllowed) return
    if (waiting.length >= MOST_WAITING) waiting.shift()
    waiting.push(told)
    await flush()
  }

  // One after another: so a step of the checkout never overtakes its start.
  const queue = (event) => {
    turn = turn.then(() => quietly(() => tell(event)))
    return turn
  }

  Object.keys(MEANINGS).forEach((name) => analytics.subscribe(name, queue))
}

// Nothing of ours may disturb a checkout, and no storage is promised.
const quietly = async (ask) => {
  try {
    return await ask()
  } catch (failed) {
    return undefined
  }
}
