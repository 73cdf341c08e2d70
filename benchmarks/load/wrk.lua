-- What wrk sends and how it judges answers: wrk -s wrk.lua URL -- FOLDER [MILLISECONDS]
-- FOLDER has N.request, N.answer (N from 1) and `header`, "Name: value" a line. With MILLISECONDS a connection
-- waits so long after an answer, and connections start at different times.
local threads = {}
local requests, answers, next_one = {}, {}, 0
local started, connections = 0, 1
wrong, refused, unpromised = 0, 0, 0

local function content(path)
  local file = io.open(path, "rb")
  if file == nil then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  pause, connections = tonumber(args[2]), tonumber(args[3] or 1)
  local headers = {}
  for name, value in content(args[1] .. "/header"):gmatch("([%w-]+): ([^\n]+)") do headers[name] = value end
  for i = 1, 1000 do
    local body = content(args[1] .. "/" .. i .. ".request")
    if body == nil then break end
    requests[i] = wrk.format("POST", nil, headers, body)
    answers[i] = content(args[1] .. "/" .. i .. ".answer")
  end
  if pause then
    function delay()
      started = started + 1
      return started <= connections and math.floor(pause * started / connections) or pause
    end
  end
end

function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end

-- An answer tells which request it is for, where there are several.
function response(status, headers, body)
  if status == 200 then
    local id = #answers == 1 and 1 or tonumber(body:match('"id": "(%d+)"'))
    if answers[id] ~= body then wrong = wrong + 1 end
  elseif status == 503 then
    refused = refused + 1
    if headers["Retry-After"] == nil and headers["retry-after"] == nil then unpromised = unpromised + 1 end
  else
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local sums = { wrong = 0, refused = 0, unpromised = 0 }
  for _, thread in ipairs(threads) do
    for name, sum in pairs(sums) do sums[name] = sum + thread:get(name) end
  end
  local errors = summary.errors
  print(string.format(
    'JSON {"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "max_ms": %f, "lost": %d,'
    .. ' "wrong": %d, "refused": %d, "refused_without_retry_after": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, errors.connect + errors.read + errors.write + errors.timeout,
    sums.wrong, sums.refused, sums.unpromised
  ))
end
