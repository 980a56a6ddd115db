// Tells a script of calls through @rudderstack/rudder-sdk-node: node rudder_node.cjs SCRIPT
const RudderAnalytics = require('@rudderstack/rudder-sdk-node')

const script = JSON.parse(process.argv[2])
const analytics = new RudderAnalytics(script.key, { dataPlaneUrl: script.host, flushInterval: 1, logLevel: 'error' })
for (const { type, ...call } of script.calls) analytics[type]({ ...call, timestamp: new Date(call.timestamp) })
analytics.flush()
