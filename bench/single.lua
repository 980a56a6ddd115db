-- For wrk: sends each line of the file in REGULARS_BODIES once, with a pause between two calls of a connection (REGULARS_PAUSE, ms),
-- and prints what came of it as one line of JSON.
local bodies = {}
for line in io.lines(os.getenv("REGULARS_BODIES")) do bodies[#bodies + 1] = line end
local pause = tonumber(os.getenv("REGULARS_PAUSE"))
local place = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = os.getenv("REGULARS_KEY")

function request()
  place = place % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[place])
end

function delay() return pause end

function done(summary, latency, requests)
  local e = summary.errors
  print(string.format('{"count": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f}', summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
