-- Each touch's share of the opportunity's amount in whole cents, by largest remainder: shares sum to the amount.
-- The same rule in Python is headwater.common.money.split_cents. Amounts are split as (amount div d) * n
-- + (amount mod d) * n div d, with a mod that is never negative, so that every product fits 64 bits.

DROP TABLE IF EXISTS share;
CREATE TABLE share AS
WITH divided AS (
    SELECT
        w.opportunity_key, w.model, w.place, w.is_middle, w.weight_numerator, w.weight_denominator,
        o.opportunity_cents,
        ((o.opportunity_cents % w.weight_denominator) + w.weight_denominator) % w.weight_denominator AS rest
    FROM weight AS w
    INNER JOIN opportunity_fact AS o ON o.opportunity_key = w.opportunity_key
),
multiplied AS (
    SELECT
        *,
        (opportunity_cents - rest) // weight_denominator * weight_numerator AS whole_cents,
        rest * weight_numerator AS product,
        (rest * weight_numerator) % weight_denominator AS remainder
    FROM divided
),
floored AS (
    SELECT
        *,
        CAST(whole_cents + (product - remainder) // weight_denominator AS BIGINT) AS floor_cents
    FROM multiplied
),
ranked AS (
    SELECT
        *,
        opportunity_cents - SUM(floor_cents) OVER (PARTITION BY opportunity_key, model) AS cents_left,
        ROW_NUMBER() OVER (PARTITION BY opportunity_key, model ORDER BY remainder DESC, place) AS turn
    FROM floored
),
paid AS (
    SELECT *, CASE WHEN turn <= cents_left THEN 1 ELSE 0 END AS extra_cents FROM ranked
)
SELECT
    d.opportunity_key,
    p.opportunity_id,
    p.unique_id,
    d.model,
    d.weight_numerator,
    d.weight_denominator,
    CAST(
        CAST((200000000 * d.weight_numerator + d.weight_denominator) // (2 * d.weight_denominator) AS DECIMAL(18, 0))
        * CAST(0.000001 AS DECIMAL(7, 6)) AS DECIMAL(9, 6)
    ) AS percent,
    d.floor_cents + d.extra_cents AS amount_cents,
    d.place,
    d.is_middle,
    CASE WHEN d.opportunity_cents IS NOT NULL THEN d.extra_cents END AS extra_cents
FROM paid AS d
INNER JOIN opportunity_position AS p ON p.opportunity_key = d.opportunity_key AND p.place = d.place;

-- audit: shares_sum_to_the_amount
SELECT s.opportunity_key, s.model
FROM share AS s
INNER JOIN opportunity_fact AS o ON o.opportunity_key = s.opportunity_key
WHERE o.opportunity_cents IS NOT NULL
GROUP BY s.opportunity_key, s.model, o.opportunity_cents
HAVING SUM(s.amount_cents) <> o.opportunity_cents OR COUNT(s.amount_cents) <> COUNT(*);

-- audit: no_amount_no_share
SELECT s.unique_id
FROM share AS s
INNER JOIN opportunity_fact AS o ON o.opportunity_key = s.opportunity_key
WHERE o.opportunity_cents IS NULL AND s.amount_cents IS NOT NULL;
