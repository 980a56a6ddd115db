// Regulars' tracker: tells Regulars what a shopper does, and nobody else anything. Its manual is docs/tracking.md.
//
// It is served without its comments and indentation, so each comment stands on lines of its own.
(function (window, document, navigator) {
  'use strict'

  const me = document.currentScript || document.querySelector('script[data-key][src*="regulars.js"]')
  if (!me || window.regularsTracker) return
  window.regularsTracker = 1

  const PREFIX = 'regulars.'
  const ID = PREFIX + 'id'
  const USER = PREFIX + 'user'
  const ASKED = PREFIX + 'asked'
  const CONSENT = PREFIX + 'consent'
  const OWED = PREFIX + 'owed'
  const QUEUE = PREFIX + 'call.'
  const DAY = 864e5
  const MOST_WAITING = 500
  const MOST_BYTES = 32e3
  const MOST_SENT_BYTES = 6e4
  const MOST_SENT = 100
  const PAUSE = 100
  const LONGEST_PAUSE = 3e5
  const PATIENCE = 2000

  const options = me.dataset
  const host = options.host || me.src.replace(/\/regulars\.js.*$/, '')
  const signals = [navigator.doNotTrack, window.doNotTrack, navigator.msDoNotTrack]
  const isSilent = navigator.globalPrivacyControl || signals.some((said) => said === '1' || said === 'yes')

  // -- What is kept, and where -------------------------------------------------------------------------------------------

  const memory = {}
  let disk = memory
  try {
    disk = window.localStorage || memory
  } catch (forbidden) {}

  // 0: nothing is sent or stored; 1: sent, with an id that this page forgets; 2: both. Asked anew each time, because
  // another tab may have said otherwise since.
  const may = () => {
    if (isSilent) return 0
    if (disk[CONSENT]) return disk[CONSENT] === 'yes' ? 2 : 0
    return { required: 0, cookieless: 1 }[options.consent] ?? 2
  }
  const box = () => (may() > 1 ? disk : memory)
  const keys = (place, start) => Object.keys(place).filter((name) => name.startsWith(start)).sort()
  const put = (name, value) => {
    try {
      box()[name] = value
    } catch (full) {
      memory[name] = value
    }
  }
  const drop = (name) => {
    delete disk[name]
    delete memory[name]
  }
  const read = (name) => box()[name] || memory[name]
  const unique = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join('')

  // One call that cannot be used keeps no other from being told, and no page from working.
  const alone = (does) => (one) => {
    try {
      does(one)
    } catch (error) {
      console.warn('regulars:', one, error)
    }
  }

  // -- Who the visitor is ------------------------------------------------------------------------------------------------

  // Only a host of the shop's own site can keep a cookie here; two labels in common are a good enough guess.
  const site = (name) => name.split('.').slice(-2).join('.')
  const isOwnHost = site(new URL(host, location.href).hostname) === site(location.hostname)

  let isReady = false
  const held = []

  // Has the server keep the id in a cookie of its own, which browsers do not cut short as they do what scripts store.
  const ask = (action) =>
    fetch(host + '/v1/id', {
      method: 'POST',
      credentials: 'include',
      keepalive: true,
      body: JSON.stringify({ writeKey: options.key, action, anonymousId: read(ID) })
    })
      .then((answer) => answer.json())
      .then((said) => {
        if (action === 'forget') return said.anonymousId === '' && drop(OWED)
        if (may() < 2 || !said.anonymousId) return
        if (!isReady) put(ID, said.anonymousId)
        put(ASKED, Date.now())
      })
      .catch(() => {})

  const begin = () => {
    if (isReady || !may()) return
    if (!read(ID)) put(ID, unique())
    if (may() < 2 || !isOwnHost || Date.now() - (read(ASKED) || 0) < DAY) return settle()
    setTimeout(settle, PATIENCE)
    // Of two tabs that open at once, the second asks when the first has its answer.
    const locks = navigator.locks
    const asked = locks ? locks.request(ID, () => ask('keep')) : ask('keep')
    asked.then(settle)
  }

  const settle = () => {
    if (isReady || !may()) return
    isReady = true
    held.splice(0).forEach(alone(keep))
    plan(PAUSE)
  }

  const renew = () => {
    drop(USER)
    put(ID, unique())
    if (may() > 1 && isOwnHost) ask('set')
  }

  const consent = (isGiven) => {
    if (isSilent) return
    if (isGiven) {
      disk[CONSENT] = 'yes'
      drop(OWED)
      keys(memory, PREFIX).forEach((name) => put(name, memory[name]))
      isReady = false
      return begin()
    }
    const isKept = disk[OWED] || (may() > 1 && isOwnHost)
    forget()
    held.length = 0
    if (options.consent !== 'required') disk[CONSENT] = 'no'
    if (isKept) disown()
  }

  // The cookie is the server's to delete; where it was not reached, the next page asks again.
  const disown = () => {
    disk[OWED] = 1
    ask('forget')
  }

  const forget = () => [disk, memory].forEach((place) => keys(place, PREFIX).forEach(drop))

  // -- Calls -------------------------------------------------------------------------------------------------------------

  let referrer = document.referrer

  const where = () => ({
    path: location.pathname,
    url: location.href,
    search: location.search,
    title: document.title,
    referrer
  })

  const campaign = () => {
    const found = {}
    new URLSearchParams(location.search).forEach((value, name) => {
      if (name.startsWith('utm_')) found[name === 'utm_campaign' ? 'name' : name.slice(4)] = value
    })
    return found
  }

  // A call as it is at this moment; who said it is added once that is settled.
  const tell = (message) => {
    message.messageId = unique()
    message.timestamp = new Date().toISOString()
    message.context = {
      page: where(),
      campaign: campaign(),
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      userAgent: navigator.userAgent,
      library: { name: 'regulars.js', version: '1' }
    }
    if (isReady && may()) keep(message)
    else if (!isSilent && disk[CONSENT] !== 'no' && held.push(message) > MOST_SENT) held.shift()
  }

  const keep = (message) => {
    if (message.type === 'reset') return renew()
    if (message.type === 'id') return message.hear(read(ID))
    if (message.type === 'identify' && message.userId) {
      // Somebody else at the same device is another visitor.
      if (read(USER) && read(USER) !== message.userId) renew()
      put(USER, message.userId)
    }
    if (!read(ID)) put(ID, unique())
    message.anonymousId = read(ID)
    message.userId = message.userId || read(USER)
    const text = JSON.stringify(message)
    if (size(text) > MOST_BYTES) return console.warn('regulars: a call of more than 32 KB was not taken')
    // Each call under a name of its own: tabs that write at once lose nothing, and names sort by time.
    put(QUEUE + message.timestamp + message.messageId, text)
    keys(box(), QUEUE).slice(0, -MOST_WAITING).forEach(drop)
    plan(PAUSE)
  }

  const track = (event, properties) => tell({ type: 'track', event, properties: properties || {} })
  const page = (name, properties) => tell({ type: 'page', name, properties: Object.assign(where(), properties) })

  const api = {
    page,
    track,
    consent,
    identify: (user, traits) => {
      const isNamed = Object(user) !== user && user != null
      tell({ type: 'identify', userId: isNamed ? String(user) : undefined, traits: isNamed ? traits : user || traits })
    },
    product: (product) => track('Product Viewed', product),
    cart: (what, product) =>
      Object(what) === what ? track('Cart Viewed', what) : track(what === 'remove' ? 'Product Removed' : 'Product Added', product),
    checkout: (cart) => track('Checkout Started', cart),
    order: (order) => track('Order Completed', order),
    reset: () => tell({ type: 'reset' }),
    // Always answered: with nothing where nobody is tracked, so that a checkout need not wait for it.
    id: (hear) => (may() ? tell({ type: 'id', hear }) : hear(''))
  }

  // One entry of the data layer: a call's name, then what it takes. Nothing that goes wrong may break the shop's page.
  const take = alone((one) => {
    const [name, ...rest] = Array.from(one)
    api[name](...rest)
  })

  // -- Sending -----------------------------------------------------------------------------------------------------------

  const size = (text) => new Blob([text]).size
  const url = host + '/v1/batch'
  let sent = []
  let timer = 0
  let failures = 0

  const plan = (pause) => {
    timer = timer || setTimeout(send, pause)
  }

  // The oldest calls that are not on their way, few enough to go out even while the page is left.
  const next = () => {
    let bytes = 0
    const waiting = [...new Set([...keys(box(), QUEUE), ...keys(memory, QUEUE)])].filter((name) => !sent.includes(name))
    return waiting.slice(0, MOST_SENT).filter((name) => (bytes += size(read(name))) < MOST_SENT_BYTES)
  }

  const body = (names) =>
    JSON.stringify({ writeKey: options.key, sentAt: new Date() }).slice(0, -1) + ',"batch":[' + names.map(read) + ']}'

  const send = () => {
    clearTimeout(timer)
    timer = 0
    if (sent.length || !isReady || !may() || navigator.onLine === false || !next().length) return
    const locks = navigator.locks
    if (!locks) return post()
    locks.request(QUEUE, { ifAvailable: true }, (lock) => (lock ? post() : plan(1e3))).catch(post)
  }

  // A call stays until it was answered: taken, or refused for good. What is sent twice is known by its messageId.
  const post = () => {
    let pause = PAUSE
    sent = next()
    if (!sent.length) return
    return fetch(url, { method: 'POST', body: body(sent), keepalive: true, credentials: 'omit' })
      // Chromium takes a call for under way until its answer is read, and lets no more than 64 KB of them be so.
      .then((answer) => answer.text().then(() => answer))
      .then((answer) => {
        if (answer.status === 429 || answer.status > 499) throw answer
        if (!answer.ok) console.warn('regulars: refused with ' + answer.status)
        sent.forEach(drop)
        failures = 0
      })
      .catch((answer) => {
        const told = answer.headers && answer.headers.get('Retry-After')
        pause = told * 1e3 || Math.min(LONGEST_PAUSE, 1e3 * 2 ** failures++) * (0.5 + Math.random())
      })
      .then(() => {
        sent = []
        if (next().length) plan(pause)
      })
  }

  window.addEventListener('online', () => send())
  document.addEventListener('visibilitychange', () => document.hidden && send())
  window.addEventListener('pagehide', () => {
    settle()
    const names = may() && navigator.onLine !== false ? next() : []
    if (names.length) navigator.sendBeacon(url, body(names))
  })
  window.addEventListener('storage', (change) => change.key === CONSENT && begin())

  // -- Pages of a shop that changes them without loading ----------------------------------------------------------------

  const isAutomatic = options.pages !== 'manual'
  const route = () => location.pathname + location.search + (location.hash.match(/^#!?\/.*/) || '')
  let shown = { route: route(), url: location.href }

  const look = () =>
    setTimeout(() => {
      if (route() === shown.route) return
      referrer = shown.url
      shown = { route: route(), url: location.href }
      page()
    })

  const watch = () => {
    for (const name of ['pushState', 'replaceState']) {
      const does = history[name]
      history[name] = function () {
        does.apply(this, arguments)
        look()
      }
    }
    window.addEventListener('popstate', look)
    window.addEventListener('pageshow', (event) => event.persisted && page())
  }

  // -- Start -------------------------------------------------------------------------------------------------------------

  const start = () => {
    const layer = (window.regularsLayer = window.regularsLayer || [])
    const told = layer.splice(0)
    if (isAutomatic && !told.some((one) => one && one[0] === 'page')) page()
    told.forEach(take)
    layer.push = (...more) => more.forEach(take)
    window.regulars = (...call) => take(call)
    if (disk[OWED]) disown()
    begin()
  }

  if (isSilent) forget()
  else if (isAutomatic) watch()
  // A page that is only prepared was not looked at.
  if (document.prerendering) document.addEventListener('prerenderingchange', start, { once: true })
  else start()
})(window, document, navigator)
