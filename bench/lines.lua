-- Requests from a file: each line holds method, path, Cookie and body between tabs; {n} in path and body becomes
-- a number that was not used before. Beyond the last line it begins anew, or ends where each counts once.
local position, count = 0, 0

local function headers_with(cookie)
  if cookie == "" then return wrk.headers end
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end
  headers["Cookie"] = cookie
  return headers
end

local function read(line)
  local method, path, cookie, body = line:match("^(.-)\t(.-)\t(.-)\t(.*)$")
  local headers, content = headers_with(cookie), body ~= "" and body or nil
  if not (path .. body):find("{n}", 1, true) then
    local request = wrk.format(method, path, headers, content)
    return function() return request end
  end
  return function(number)
    return wrk.format(method, path:gsub("{n}", number), headers, body:gsub("{n}", number))
  end
end

function init(arguments)
  is_once, tag, lines = arguments[2] == "once", arguments[3], {}
  for line in io.lines(arguments[1]) do lines[#lines + 1] = is_once and line or read(line) end
end

function request()
  position, count = position + 1, count + 1
  if position > #lines then
    if is_once then
      print("refused: the lines are used up")
      os.exit(1)
    end
    position = 1
  end
  local line = lines[position]
  return (is_once and read(line) or line)(tag .. "-" .. count)
end
