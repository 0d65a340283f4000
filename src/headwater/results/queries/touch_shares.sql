-- The touches of one opportunity in time's order, one row a model: eight columns of the touch, then the share.
SELECT
    t.unique_id,
    t.touch_utc,
    COALESCE(t.contact_id, '') AS contact_id,
    COALESCE(NULLIF(TRIM(COALESCE(c.FirstName, '') || ' ' || COALESCE(c.LastName, '')), ''), t.person_key) AS contact_name,
    t.channel_path,
    COALESCE(t.ad_campaign_name, '') AS campaign,
    COALESCE(t.touchpoint_type, '') AS touchpoint_type,
    t.positions,
    m.model,
    COALESCE(s.percent, CAST(0 AS DECIMAL(9, 6))) AS percent,
    CASE WHEN f.opportunity_cents IS NOT NULL THEN COALESCE(s.amount_cents, 0) END AS cents,
    COALESCE(e.rule, 'holds no position that this model weights') AS rule
FROM attribution_touchpoint AS t
CROSS JOIN model AS m
INNER JOIN opportunity_fact AS f ON f.opportunity_id = t.opportunity_id
LEFT JOIN share AS s ON s.unique_id = t.unique_id AND s.model = m.model
LEFT JOIN explanation AS e ON e.unique_id = t.unique_id AND e.model = m.model
LEFT JOIN Contact AS c ON c.Id = t.contact_id
WHERE t.opportunity_id = $id
ORDER BY t.touch_utc, t.unique_id, m.model;
