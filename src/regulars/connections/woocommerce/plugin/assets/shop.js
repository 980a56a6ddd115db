// Lets the shop's server know the visitor by the tracker's id, once the visitor agreed to that, and hands on what consent banners say.
(function (window, document) {
  'use strict'
  var layer = (window.regularsLayer = window.regularsLayer || [])
  var kept = 'regulars_id='
  var rest = '; path=/; SameSite=Lax' + (location.protocol === 'https:' ? '; Secure' : '')

  // The tracker answers only where the visitor may be known.
  function keep() {
    layer.push([
      'id',
      function (id) {
        if (/^[A-Za-z0-9-]{16,64}$/.test(id || '')) document.cookie = kept + id + '; max-age=34560000' + rest
      }
    ])
  }
  function forget() {
    document.cookie = kept + '; max-age=0' + rest
  }

  if (window.regularsShop && window.regularsShop.keepsId) keep()

  // Banners that speak the WP Consent API.
  document.addEventListener('wp_listen_for_consent_change', function (change) {
    var said = (change.detail || {}).marketing
    if (!said) return
    layer.push(['consent', said === 'allow'])
    if (said === 'allow') keep()
    else forget()
  })

  // For every other banner: regularsConsent(true) or regularsConsent(false).
  window.regularsConsent = function (isGiven) {
    layer.push(['consent', !!isGiven])
    if (isGiven) keep()
    else forget()
  }
})(window, document)
