-- Revenue of won opportunities by channel and model: channel, whether it is the row without touches, model, cents.
SELECT
    CASE WHEN channel = '(none)' THEN 'No touch' ELSE channel END AS channel,
    channel = '(none)' AS is_none,
    model,
    CAST(SUM(revenue_cents) AS BIGINT) AS cents
FROM channel_revenue
GROUP BY channel, model;
