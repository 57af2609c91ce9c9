"""
Say in SQL what may break an invariant of one link's ledger (``:link``), a statement for each kind.

Each gives the columns of its shape in ``violations.py``, and how many ``suspects`` there are.
"""

from typing import Final

_HOURS: Final = """ARRAY(SELECT l.entry_id FROM ledger l
    WHERE l.link_id = :link AND l.draft_id = d.draft_id AND (which)
    ORDER BY l.entry_id LIMIT 20) AS entry_ids,
  (SELECT count(*) FROM ledger l
    WHERE l.link_id = :link AND l.draft_id = d.draft_id AND (which)) AS hours"""


def _with_hours(statement: str) -> str:
    """Name the first hours of each draft and count them, of odd lines or those it holds."""
    odd, active = (
        _HOURS.replace("(which)", which) for which in ("l.line_no = ANY(d.odd_lines)", "l.active")
    )
    return statement.replace("(odd)", odd).replace("(active)", active)


# A line is worth what the ledger's minutes and rate come to, as printed: hours of two decimals,
# after the increments where the minutes are those that were rounded, less the discount. A follow-up
# has no hours of its own but differences (and expenses), each with its øre. Lines and hours are
# grouped together, not joined: a draft may have 5,000 of both. An hour of 0 minutes stands in a
# line of its expenses, whose øre are its own.
SUMMED: Final = _with_hours("""
WITH parts AS (
  SELECT draft_id, line_no::bigint AS number, NULL::bigint AS net, NULL::bigint AS vat,
    NULL::bigint AS minutes, NULL::bigint AS price, NULL::numeric AS quantity,
    NULL::numeric AS percent, NULL::integer AS hours, false AS released,
    minutes AS held_minutes, rate
  FROM ledger WHERE link_id = :link AND minutes > 0
  UNION ALL
  SELECT d.draft_id, line.number, (line.whole->>'net')::bigint, (line.whole->>'vat')::bigint,
    (line.whole->>'minutes')::bigint, (line.whole->>'unitPrice')::bigint,
    (line.whole->>'quantity')::numeric, 100 - coalesce((line.whole->>'discount')::numeric, 0),
    CASE WHEN d.bills_hours AND (line.whole->>'minutes')::bigint > 0
      THEN jsonb_array_length(line.whole->'entryIds') ELSE 0 END,
    coalesce(d.released @> to_jsonb(line.number), false), NULL, NULL
  FROM (
    SELECT draft_id, body->'lines' AS lines, versions <> '{}' AS bills_hours,
      facts->'releasedLines' AS released
    FROM drafts WHERE link_id = :link AND NOT jsonb_exists(body, 'erasedAt')
  ) d
  CROSS JOIN LATERAL jsonb_array_elements(d.lines) WITH ORDINALITY AS line (whole, number)
), lines AS (
  SELECT draft_id, number, max(net) AS net, max(vat) AS vat, max(minutes) AS minutes,
    max(price) AS price, max(quantity) AS quantity, max(percent) AS percent, max(hours) AS hours,
    bool_or(released) AS released, sum(held_minutes) AS held_minutes, count(rate) AS held,
    min(rate) AS low, max(rate) AS high
  FROM parts GROUP BY draft_id, number
), worth AS (
  SELECT l.*, (l.held > 0 OR l.hours > 0) AND (l.held, l.held_minutes, l.low, l.high)
      IS DISTINCT FROM (l.hours, l.minutes, l.price, l.price) AS other,
    CASE WHEN l.held = 0 AND l.hours = 0 THEN l.net
      ELSE coalesce(round(l.low * coalesce(l.percent, 100) / 100 * CASE
        WHEN l.held_minutes = l.minutes THEN l.quantity ELSE round(l.held_minutes / 60.0, 2)
      END), 0) END AS worth
  FROM lines l
), sums AS (
  SELECT draft_id, count(net) AS lines, sum(net) AS net, sum(vat) AS vat, sum(worth) AS worth,
    sum(net) FILTER (WHERE NOT released) AS standing_net,
    sum(vat) FILTER (WHERE NOT released) AS standing_vat,
    coalesce(array_agg(number) FILTER (WHERE other OR worth <> net), '{}') AS odd_lines
  FROM worth GROUP BY draft_id
), differences AS (
  SELECT draft_id, sum(net) AS net FROM corrections WHERE link_id = :link GROUP BY draft_id
), compared AS (
  SELECT d.draft_id, d.mark, d.state, d.problem, d.net, d.vat, coalesce(s.lines, 0) AS lines,
    coalesce(s.net, 0) AS lines_net, coalesce(s.vat, 0) AS lines_vat,
    CASE WHEN d.versions = '{}' AND c.net IS NOT NULL THEN c.net
      ELSE coalesce(s.worth, 0) END AS ledger_net,
    s.odd_lines, coalesce(s.standing_net, 0) AS standing_net,
    coalesce(s.standing_vat, 0) AS standing_vat, seen.net AS seen_net, seen.vat AS seen_vat
  FROM drafts d
  LEFT JOIN sums s ON s.draft_id = d.draft_id
  LEFT JOIN differences c ON c.draft_id = d.draft_id
  LEFT JOIN LATERAL (
    SELECT (d.invoice->>'netOre')::bigint AS net,
      coalesce((d.invoice->>'vatOre')::bigint,
        (d.invoice->>'totalOre')::bigint - (d.invoice->>'netOre')::bigint) AS vat
    WHERE jsonb_typeof(d.invoice) = 'object'
    UNION ALL
    SELECT (d.remote->>'net')::bigint, (d.remote->>'vat')::bigint
    WHERE jsonb_typeof(d.invoice) IS DISTINCT FROM 'object'
  ) seen ON d.problem IS NULL AND d.state IN ('created', 'completed') AND d.updated_at < :late
    AND (d.next_look IS NULL OR d.next_look > :now)
    AND NOT coalesce(jsonb_exists(d.invoice, 'beforeRelease'), false)
  WHERE d.link_id = :link AND NOT jsonb_exists(d.body, 'erasedAt')
)
SELECT d.draft_id, d.mark, d.state, d.problem, d.net, d.vat, d.lines::integer AS lines,
  d.lines_net::bigint AS lines_net, d.lines_vat::bigint AS lines_vat,
  d.ledger_net::bigint AS ledger_net, coalesce(d.odd_lines <> '{}', false) AS is_odd, (odd),
  d.standing_net::bigint AS standing_net, d.standing_vat::bigint AS standing_vat,
  d.seen_net, d.seen_vat, count(*) OVER () AS suspects
FROM compared d
WHERE (d.lines_net, d.lines_vat, d.ledger_net) IS DISTINCT FROM (d.net, d.vat, d.net)
  OR d.odd_lines <> '{}'
  OR d.seen_net IS NOT NULL
    AND (d.seen_net <> d.net OR abs(d.seen_vat - d.vat) > d.lines)
    AND (d.seen_net <> d.standing_net OR abs(d.seen_vat - d.standing_vat) > d.lines)
ORDER BY d.draft_id LIMIT :most
""")

# One that was freed keeps what was found of it; what is left over there is told on the draft.
CARRIED: Final = """
SELECT draft_id, mark, state, problem,
  ARRAY(SELECT jsonb_array_elements_text(books_ids)) AS books_ids, count(*) OVER () AS suspects
FROM drafts
WHERE link_id = :link AND jsonb_array_length(books_ids) > 1
  AND state NOT IN ('refused', 'released')
ORDER BY draft_id LIMIT :most
"""

HELD_TWICE: Final = """
SELECT entry_id, array_agg(draft_id ORDER BY draft_id) AS draft_ids, count(*) OVER () AS suspects
FROM ledger WHERE link_id = :link AND active
GROUP BY entry_id HAVING count(*) > 1 ORDER BY entry_id LIMIT :most
"""

# Freed rightly, though its draft stands: a person released the line, or an invoiced follow-up took
# the hour back.
ON_TWO_LINES: Final = """
SELECT freed.entry_id, ARRAY[freed.draft_id, held.draft_id] AS draft_ids, d.problem,
  count(*) OVER () AS suspects
FROM ledger freed
JOIN drafts d ON d.link_id = freed.link_id AND d.draft_id = freed.draft_id
JOIN ledger held ON held.link_id = freed.link_id AND held.entry_id = freed.entry_id
  AND held.active AND held.draft_id <> freed.draft_id
WHERE freed.link_id = :link AND NOT freed.active AND d.state IN ('created', 'completed')
  AND coalesce(d.invoice->>'what', 'open') NOT IN ('missing', 'deleted', 'unclear', 'credited')
  AND NOT coalesce(d.facts->'releasedLines' @> to_jsonb(freed.line_no), false)
  AND NOT jsonb_exists(d.body, 'erasedAt')
  AND NOT EXISTS (SELECT FROM corrections c
    WHERE c.link_id = freed.link_id AND c.corrected_id = freed.draft_id
      AND c.entry_id = freed.entry_id AND c.given_back_at IS NOT NULL)
ORDER BY freed.entry_id LIMIT :most
"""

# A pause is told by itself, and what waited meanwhile has its half hour from then on anew. What a
# person decided a moment ago (send again) is on its way though all of it is old.
STUCK: Final = _with_hours("""
SELECT d.draft_id, d.mark, d.state, since.at AS since, (active), count(*) OVER () AS suspects
FROM drafts d
JOIN links ON links.link_id = d.link_id AND links.state <> 'paused'
CROSS JOIN LATERAL (
  SELECT greatest(d.created_at, links.updated_at, max(a.started_at)) AS at
  FROM draft_attempts a WHERE a.link_id = d.link_id AND a.draft_id = d.draft_id
) since
WHERE d.link_id = :link AND d.problem IS NULL AND since.at < :late AND d.updated_at < :moved
  AND d.state IN ('taken', 'reserved', 'sending', 'unconfirmed', 'needs-person')
ORDER BY d.draft_id LIMIT :most
""")

ENDED: Final = _with_hours("""
SELECT d.draft_id, d.mark, d.state, NULL AS since, (active), count(*) OVER () AS suspects
FROM (
  SELECT held.draft_id, drafts.mark, drafts.state
  FROM (SELECT DISTINCT draft_id FROM ledger WHERE link_id = :link AND active) held
  LEFT JOIN drafts ON drafts.link_id = :link AND drafts.draft_id = held.draft_id
  WHERE drafts.state IS NULL OR drafts.state IN ('refused', 'released')
) d
ORDER BY d.draft_id LIMIT :most
""")
