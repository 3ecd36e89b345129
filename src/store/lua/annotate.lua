-- annotate: writes another note to the license, or takes it away with an empty one. Nothing else of it changes.
--
-- ARGV  JSON: org, user, note, actor, eventsKept
-- Reply JSON: outcome done, with the license | refused, with reason not_found

if not status then return refuse('not_found') end
if order.note == (field('note') or '') then return done() end
keepNote()
noteLicense('license.noted')
return done()
