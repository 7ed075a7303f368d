-- PROMISE
--   Refuses a request, unless a simultaneous one with the same idempotency key holds places: both have one answer.
-- KEYS
--   1 claims      HASH: hold id -> its places, comma separated
--   2 refusal     STRING: the code and the places of a request that was refused a moment ago
-- ARGV
--   1 hold        hold id
--   2 code        why it is refused: TAKEN, ORPHAN, PERSON or NETWORK
--   3 places      as hold.lua returned them, comma separated
--   4 kept        milliseconds for which a simultaneous request is refused as well
-- RETURNS {code, version, places}
--   REPLAY        this hold exists, with these places
--   NOTHING       no such hold exists: simultaneous requests are refused, too; no places are returned
-- TTL
--   none: an event's keys live until the event is over
-- COST
--   O(places of the hold)

local already = redis.call('HGET', KEYS[1], ARGV[1])
if already then return {'REPLAY', 0, already} end
redis.call('SET', KEYS[2], ARGV[2] .. '|' .. ARGV[3], 'PX', ARGV[4])
return {'NOTHING', 0, ''}
