-- Why each share is what it is: the rule that gave it, in words, and the numbers it was computed from.

DROP TABLE IF EXISTS explanation;
CREATE TABLE explanation AS
WITH held AS (
    SELECT
        opportunity_key, model, place,
        STRING_AGG(stage || ' ' || label, ' + ' ORDER BY stage_order) AS held_text
    FROM model_holder
    GROUP BY opportunity_key, model, place
),
spread AS (
    SELECT
        o.opportunity_key, o.model, h.stage_order, h.stage
    FROM opportunity_model AS o
    INNER JOIN model_holder AS h ON h.opportunity_key = o.opportunity_key AND h.model = o.model
    WHERE o.spread_weight > 0
),
spread_over AS (
    SELECT opportunity_key, model, STRING_AGG(stage, ', ' ORDER BY stage_order) AS stages_text
    FROM spread
    GROUP BY opportunity_key, model
),
unheld AS (
    SELECT
        o.opportunity_key, o.model,
        STRING_AGG(m.stage || ' ' || m.label, ' + ' ORDER BY m.stage_order) AS unheld_text
    FROM opportunity_model AS o
    INNER JOIN model_stage AS m ON m.model = o.model
    LEFT JOIN model_holder AS h
        ON h.opportunity_key = o.opportunity_key AND h.model = o.model AND h.stage = m.stage
    WHERE o.unheld_weight > 0 AND h.stage IS NULL
    GROUP BY o.opportunity_key, o.model
)
SELECT
    s.opportunity_id,
    s.unique_id,
    s.model,
    t.touch_utc,
    t.kind,
    t.channel_path,
    p.positions,
    CASE
        WHEN s.is_middle AND o.middle_touches = 1 THEN 'the only middle touch, holding ' || o.middle_label
        WHEN s.is_middle
            THEN 'one of ' || CAST(o.middle_touches AS VARCHAR) || ' middle touches sharing ' || o.middle_label
        ELSE 'holds ' || h.held_text || ' of 100'
            || COALESCE('; ' || u.unheld_text || ' unheld, spread over ' || v.stages_text, '')
            || CASE
                WHEN o.middle_weight > 0 AND o.middle_touches = 0
                    THEN '; no middle touch, its ' || o.middle_label || ' spread over ' || v.stages_text
                ELSE ''
            END
            || CASE WHEN p.is_closed_pending AND s.model = 'full_path' THEN '; Closed is pending' ELSE '' END
    END AS rule,
    CAST(s.weight_numerator AS VARCHAR) || '/' || CAST(s.weight_denominator AS VARCHAR)
    || COALESCE(
        ' of ' || CAST(f.opportunity_cents AS VARCHAR) || ' cents, rounded down '
        || CAST(s.amount_cents - s.extra_cents AS VARCHAR) || ', remainder ' || CAST(s.extra_cents AS VARCHAR),
        ', no amount'
    ) AS arithmetic,
    s.percent,
    s.amount_cents
FROM share AS s
INNER JOIN opportunity_position AS p ON p.opportunity_key = s.opportunity_key AND p.place = s.place
INNER JOIN opportunity_model AS o ON o.opportunity_key = s.opportunity_key AND o.model = s.model
INNER JOIN opportunity_fact AS f ON f.opportunity_key = s.opportunity_key
INNER JOIN touch AS t ON t.touch_id = p.touch_id
LEFT JOIN held AS h ON h.opportunity_key = s.opportunity_key AND h.model = s.model AND h.place = s.place
LEFT JOIN spread_over AS v ON v.opportunity_key = s.opportunity_key AND v.model = s.model
LEFT JOIN unheld AS u ON u.opportunity_key = s.opportunity_key AND u.model = s.model;

-- audit: every_share_is_explained
SELECT COUNT(*) AS explained
FROM explanation
HAVING COUNT(*) <> (SELECT COUNT(*) FROM share) OR COUNT(*) <> COUNT(rule) OR COUNT(*) <> COUNT(arithmetic);
