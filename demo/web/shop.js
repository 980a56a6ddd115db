// The demo's web shop: a cart in the browser, and one line for each thing that Regulars is told.
const layer = (window.regularsLayer = window.regularsLayer || [])
const tell = (...call) => layer.push(call)
const find = (what, within = document) => within.querySelector(what)
const all = (what) => document.querySelectorAll(what)
const pounds = (amount) => '£' + amount.toFixed(2)

// -- The cart ------------------------------------------------------------------------------------------------------------

const NAME = 'cupboard.cart'
const fresh = () => ({ id: 'web-' + Array.from(crypto.getRandomValues(new Uint8Array(6)), (b) => b.toString(16)).join(''), lines: [] })
const read = () => JSON.parse(localStorage[NAME] || 'null') || fresh()
const write = (cart) => {
  localStorage[NAME] = JSON.stringify(cart)
  show(cart)
}
const sum = (cart) => cart.lines.reduce((total, line) => total + line.price * line.quantity, 0)

const add = (product) => {
  const cart = read()
  const line = cart.lines.find((one) => one.sku === product.sku)
  if (line) line.quantity += 1
  else cart.lines.push({ ...product, quantity: 1 })
  write(cart)
  tell('cart', 'add', { ...product, quantity: 1, cart_id: cart.id })
  find('[data-said]').textContent = product.name + ' is in your cart.'
}

const remove = (sku) => {
  const cart = read()
  const line = cart.lines.find((one) => one.sku === sku)
  cart.lines = cart.lines.filter((one) => one !== line)
  write(cart)
  tell('cart', 'remove', { ...line, cart_id: cart.id })
}

// -- Saved for later -----------------------------------------------------------------------------------------------------

const SAVED = 'cupboard.saved'
const saved = () => JSON.parse(localStorage[SAVED] || '[]')

const wish = (button) => {
  const ware = JSON.parse(button.dataset.wish)
  const isNew = !saved().includes(ware.sku)
  localStorage[SAVED] = JSON.stringify(isNew ? [...saved(), ware.sku] : saved().filter((sku) => sku !== ware.sku))
  tell('track', isNew ? 'Product Added to Wishlist' : 'Product Removed from Wishlist', { ...ware, wishlist_id: 'saved' })
  find('[data-said]').textContent = ware.name + (isNew ? ' is saved for later.' : ' is not saved any more.')
  mark(button)
}

const mark = (button) => {
  const isSaved = saved().includes(JSON.parse(button.dataset.wish).sku)
  button.setAttribute('aria-pressed', isSaved)
  button.textContent = isSaved ? 'Saved for later' : 'Save for later'
}

const search = (form) => {
  const words = form.elements.q.value.trim()
  const wares = [...all('.ware')]
  for (const ware of wares) ware.hidden = !ware.textContent.toLowerCase().includes(words.toLowerCase())
  const count = wares.filter((ware) => !ware.hidden).length
  find('[data-said]').textContent = words ? (count || 'Nothing') + ' found for ' + words + '.' : ''
  if (words) tell('track', 'Products Searched', { query: words })
}

// -- What is shown -------------------------------------------------------------------------------------------------------

const lineOf = (line, isBrief) => {
  const item = document.createElement('li')
  item.className = 'row'
  const title = document.createElement('a')
  title.href = '/product/' + line.sku
  title.textContent = line.quantity + ' × ' + line.name
  const price = document.createElement('span')
  price.className = 'price'
  price.textContent = pounds(line.price * line.quantity)
  item.append(title, price)
  if (!isBrief) {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'link'
    button.textContent = 'Remove'
    button.setAttribute('aria-label', 'Remove ' + line.name)
    button.onclick = () => remove(line.sku)
    item.append(button)
  }
  return item
}

const show = (cart) => {
  const count = cart.lines.reduce((total, line) => total + line.quantity, 0)
  find('[data-count]').textContent = count
  find('[data-count]').hidden = !count
  for (const part of all('[data-when]')) part.hidden = (part.dataset.when === 'filled') !== count > 0
  for (const list of all('[data-lines]')) list.replaceChildren(...cart.lines.map((line) => lineOf(line, list.matches('.brief'))))
  for (const total of all('[data-total]')) total.textContent = pounds(sum(cart) + Number(total.dataset.postage || 0))
}

// -- What is told --------------------------------------------------------------------------------------------------------

const contents = (cart) => ({ cart_id: cart.id, products: cart.lines, value: sum(cart), currency: 'GBP' })
const product = find('[data-product]')
if (product) tell('product', JSON.parse(product.dataset.product))
if (location.pathname === '/cart' && read().lines.length) tell('cart', contents(read()))

const form = find('[data-checkout]')
if (form) {
  const { email, name } = form.elements
  const identify = () => email.validity.valid && tell('identify', { email: email.value, name: name.value })
  if (read().lines.length) tell('checkout', contents(read()))
  email.onchange = name.onchange = identify
  form.onsubmit = async (event) => {
    event.preventDefault()
    order({ email: email.value, name: name.value, anonymousId: await visitor(), lines: read().lines })
  }
}

// The id that the visitor has been known by, for the shop's server to name; nothing where the tracker was kept from loading.
const visitor = () =>
  new Promise((hear) => {
    tell('id', hear)
    setTimeout(hear, 1500, '')
  })

const order = (said) =>
  fetch('/order', { method: 'POST', body: JSON.stringify(said) })
    .then((answer) => answer.json())
    .then(({ order_id: number, problem }) => {
      if (!number) throw new Error(problem)
      localStorage.removeItem(NAME)
      location = '/thanks#' + number
    })
    .catch((error) => {
      find('[data-problem]').textContent = error.message
      find('[data-problem]').hidden = false
    })

// -- Start ---------------------------------------------------------------------------------------------------------------

if (find('[data-order]')) find('[data-order]').textContent = location.hash.slice(1)
for (const button of all('[data-add]')) button.onclick = () => add(JSON.parse(button.dataset.add))
for (const button of all('[data-wish]')) {
  mark(button)
  button.onclick = () => wish(button)
}
const finder = find('[data-find]')
if (finder) {
  finder.onsubmit = (event) => {
    event.preventDefault()
    search(finder)
  }
  finder.elements.q.addEventListener('search', () => finder.elements.q.value || search(finder))
}
for (const button of all('button[data-consent]')) {
  button.onclick = () => {
    tell('consent', button.dataset.consent === 'yes')
    find('[data-said]').textContent = button.dataset.consent === 'yes' ? 'You are tracked.' : 'You are not tracked any more.'
  }
}
find('[data-reset]').onclick = () => {
  tell('reset')
  localStorage.removeItem(SAVED)
  all('[data-wish]').forEach(mark)
  write(fresh())
  find('[data-said]').textContent = 'You are another visitor now.'
}
window.addEventListener('storage', () => show(read()))
show(read())
