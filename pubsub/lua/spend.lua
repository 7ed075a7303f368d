-- PROMISE
--   Takes an amount out of a window's budget; all of it, or nothing where it does not fit.
-- KEYS
--   1 spent       INTEGER: amount spent in the window
-- ARGV
--   1 amount      to spend
--   2 budget      of the whole window
--   3 lifetime    seconds
-- RETURNS {code, spent}
--   SPENT         the amount is part of `spent`
--   OVER          the amount does not fit; nothing changed
-- TTL
--   spent: `lifetime` from its first amount
-- COST
--   O(1)

local spent = tonumber(redis.call('GET', KEYS[1]) or '0')
if spent + ARGV[1] > tonumber(ARGV[2]) then return {'OVER', spent} end
redis.call('INCRBY', KEYS[1], ARGV[1])
if spent == 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return {'SPENT', spent + ARGV[1]}
