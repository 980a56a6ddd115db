// Tells a script of calls through @segment/analytics-node: node segment_node.cjs SCRIPT
const { Analytics } = require('@segment/analytics-node')

const script = JSON.parse(process.argv[2])
const analytics = new Analytics({ writeKey: script.key, host: script.host, path: '/v1/batch' })
for (const { type, ...call } of script.calls) analytics[type](call)
analytics.closeAndFlush()
