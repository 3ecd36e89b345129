-- due: the orgs that somebody must look at by now, the longest overdue first. The server's own clock decides, since the
-- masters of a cluster have a clock each.
--
-- KEYS  due
-- ARGV  how many at most
-- Reply their names

return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, ARGV[1])
