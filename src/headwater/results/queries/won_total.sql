-- What was won, touches or not, in whole cents.
SELECT CAST(COALESCE(SUM(opportunity_cents), 0) AS BIGINT) AS won_cents
FROM opportunity_fact
WHERE is_won;
