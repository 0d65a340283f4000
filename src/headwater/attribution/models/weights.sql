-- Each touch's part of each model, as an exact fraction. Weights are thousandths of the whole.
--   held stages   share what no stage holds, and the middle weight when there is no middle touch, evenly
--   middle        form-like touches from FT to the model's end stage that hold no weighted stage, equally

DROP TABLE IF EXISTS model_holder;
CREATE TABLE model_holder AS
WITH holder AS (
    SELECT opportunity_key, place, 'FT' AS stage FROM opportunity_position WHERE is_ft
    UNION ALL
    SELECT opportunity_key, place, 'LC' AS stage FROM opportunity_position WHERE is_lc
    UNION ALL
    SELECT opportunity_key, place, 'OC' AS stage FROM opportunity_position WHERE is_oc
    UNION ALL
    SELECT opportunity_key, place, 'Closed' AS stage FROM opportunity_position WHERE is_closed_touch
)
SELECT h.opportunity_key, m.model, h.place, h.stage, m.stage_order, m.weight, m.label
FROM holder AS h
INNER JOIN model_stage AS m ON m.stage = h.stage;

DROP TABLE IF EXISTS middle_touch;
CREATE TABLE middle_touch AS
WITH span AS (
    SELECT
        opportunity_key,
        MIN(CASE WHEN is_lc THEN place END) AS lc_place,
        MIN(CASE WHEN is_oc THEN place END) AS oc_place,
        MIN(CASE WHEN is_closed_touch THEN place END) AS closed_place
    FROM opportunity_position
    GROUP BY opportunity_key
)
SELECT p.opportunity_key, m.model, p.place
FROM opportunity_position AS p
INNER JOIN span AS s ON s.opportunity_key = p.opportunity_key
CROSS JOIN model AS m
LEFT JOIN model_holder AS h ON h.opportunity_key = p.opportunity_key AND h.model = m.model AND h.place = p.place
WHERE p.is_form
    AND m.middle_weight > 0
    AND h.place IS NULL
    AND p.place <= CASE m.end_stage
        WHEN 'LC' THEN s.lc_place
        WHEN 'OC' THEN s.oc_place
        WHEN 'Closed' THEN s.closed_place
    END;

DROP TABLE IF EXISTS opportunity_model;
CREATE TABLE opportunity_model AS
WITH held AS (
    SELECT opportunity_key, model, COUNT(*) AS held_stages, CAST(SUM(weight) AS BIGINT) AS held_weight
    FROM model_holder
    GROUP BY opportunity_key, model
),
pool AS (
    SELECT opportunity_key, model, COUNT(*) AS middle_touches
    FROM middle_touch
    GROUP BY opportunity_key, model
)
SELECT
    h.opportunity_key,
    h.model,
    h.held_stages,
    COALESCE(p.middle_touches, 0) AS middle_touches,
    1000 - m.middle_weight - h.held_weight AS unheld_weight,
    m.middle_weight,
    m.middle_label,
    1000 - h.held_weight - CASE WHEN p.middle_touches IS NULL THEN 0 ELSE m.middle_weight END AS spread_weight,
    1000 * h.held_stages * COALESCE(p.middle_touches, 1) AS weight_denominator
FROM held AS h
INNER JOIN model AS m ON m.model = h.model
LEFT JOIN pool AS p ON p.opportunity_key = h.opportunity_key AND p.model = h.model;

DROP TABLE IF EXISTS weight;
CREATE TABLE weight AS
WITH held AS (
    SELECT opportunity_key, model, place, COUNT(*) AS stages, CAST(SUM(weight) AS BIGINT) AS stage_weight
    FROM model_holder
    GROUP BY opportunity_key, model, place
)
SELECT
    h.opportunity_key, h.model, h.place, FALSE AS is_middle,
    (h.stage_weight * o.held_stages + h.stages * o.spread_weight)
        * (o.weight_denominator // (1000 * o.held_stages)) AS weight_numerator,
    o.weight_denominator
FROM held AS h
INNER JOIN opportunity_model AS o ON o.opportunity_key = h.opportunity_key AND o.model = h.model
UNION ALL
SELECT
    t.opportunity_key, t.model, t.place, TRUE AS is_middle,
    o.middle_weight * o.held_stages AS weight_numerator,
    o.weight_denominator
FROM middle_touch AS t
INNER JOIN opportunity_model AS o ON o.opportunity_key = t.opportunity_key AND o.model = t.model;

-- audit: weights_sum_to_one
SELECT opportunity_key, model
FROM weight
GROUP BY opportunity_key, model
HAVING SUM(weight_numerator) <> MIN(weight_denominator) OR MIN(weight_denominator) <> MAX(weight_denominator);

-- audit: every_model_is_credited
SELECT COUNT(*) AS credited
FROM opportunity_model
HAVING COUNT(*) <> (SELECT COUNT(DISTINCT opportunity_key) FROM opportunity_position) * (SELECT COUNT(*) FROM model);

-- audit: products_fit_64_bits
SELECT opportunity_key FROM opportunity_model WHERE weight_denominator > 3000000000;
