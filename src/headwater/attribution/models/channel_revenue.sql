-- What each channel earned under each model: won amounts, and open ones as pipeline. Lost opportunities count for neither.
-- Amounts without any touch stand in the channel '(none)', so that each model sums to what the org won.

DROP TABLE IF EXISTS channel_revenue;
CREATE TABLE channel_revenue AS
WITH credited AS (
    SELECT
        s.model, o.currency_iso_code, t.channel, t.subchannel, t.channel_path,
        o.opportunity_key, o.is_won, o.is_closed, s.amount_cents
    FROM share AS s
    INNER JOIN opportunity_fact AS o ON o.opportunity_key = s.opportunity_key
    INNER JOIN opportunity_position AS p ON p.opportunity_key = s.opportunity_key AND p.place = s.place
    INNER JOIN touch AS t ON t.touch_id = p.touch_id
    UNION ALL
    SELECT
        m.model, o.currency_iso_code, '(none)' AS channel, CAST(NULL AS VARCHAR) AS subchannel,
        '(none)' AS channel_path, o.opportunity_key, o.is_won, o.is_closed, o.opportunity_cents AS amount_cents
    FROM opportunity_fact AS o
    CROSS JOIN model AS m
    LEFT JOIN opportunity_model AS c ON c.opportunity_key = o.opportunity_key AND c.model = m.model
    WHERE c.opportunity_key IS NULL
)
SELECT
    model,
    currency_iso_code,
    channel,
    subchannel,
    channel_path,
    COUNT(DISTINCT CASE WHEN is_won THEN opportunity_key END) AS won_opportunities,
    CAST(COALESCE(SUM(CASE WHEN is_won THEN amount_cents END), 0) AS BIGINT) AS revenue_cents,
    COUNT(DISTINCT CASE WHEN NOT is_closed THEN opportunity_key END) AS open_opportunities,
    CAST(COALESCE(SUM(CASE WHEN NOT is_closed THEN amount_cents END), 0) AS BIGINT) AS pipeline_cents
FROM credited
WHERE is_won OR NOT is_closed
GROUP BY model, currency_iso_code, channel, subchannel, channel_path;

-- audit: each_model_sums_to_what_the_org_won_and_hopes_for
WITH org AS (
    SELECT
        COALESCE(SUM(CASE WHEN is_won THEN opportunity_cents END), 0) AS won_cents,
        COALESCE(SUM(CASE WHEN NOT is_closed THEN opportunity_cents END), 0) AS open_cents
    FROM opportunity_fact
),
summed AS (
    SELECT
        m.model,
        COALESCE(SUM(c.revenue_cents), 0) AS won_cents,
        COALESCE(SUM(c.pipeline_cents), 0) AS open_cents
    FROM model AS m
    LEFT JOIN channel_revenue AS c ON c.model = m.model
    GROUP BY m.model
)
SELECT s.model
FROM summed AS s
CROSS JOIN org AS o
WHERE s.won_cents <> o.won_cents OR s.open_cents <> o.open_cents;
