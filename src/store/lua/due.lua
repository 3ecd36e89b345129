-- due: the orgs that somebody must look at by now, the longest overdue first. The server's own clock decides, since the
-- masters of a cluster have a clock each.
--
-- ARGV  how many at most
-- Reply their names

return redis.call('ZRANGEBYSCORE', dueKey, '-inf', text(now), 'LIMIT', 0, ARGV[1])
