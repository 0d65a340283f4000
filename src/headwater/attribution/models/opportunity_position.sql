-- FT, LC, OC and Closed of each opportunity. A web visit that holds none of them is left out.

DROP TABLE IF EXISTS opportunity_position;
CREATE TABLE opportunity_position AS
WITH person_lc AS (
    SELECT
        opportunity_key,
        person_key,
        COALESCE(
            MIN(CASE WHEN is_form THEN place END),
            MAX(CASE WHEN is_before_person THEN place END),
            MIN(place)
        ) AS place
    FROM candidate
    GROUP BY opportunity_key, person_key
),
first_lc AS (
    SELECT opportunity_key, MIN(place) AS lc_place FROM person_lc GROUP BY opportunity_key
),
milestone AS (
    SELECT
        opportunity_key,
        COALESCE(
            MAX(CASE WHEN is_before_opportunity THEN place END),
            MIN(place)
        ) AS oc_place,
        MAX(place) AS closed_place
    FROM candidate
    GROUP BY opportunity_key
),
marked AS (
    SELECT
        c.opportunity_key,
        o.opportunity_id,
        c.contact_id,
        c.touch_id,
        c.touch_utc,
        c.place,
        c.is_form,
        c.place = 1 AS is_ft,
        c.place = l.lc_place AS is_lc,
        c.place = m.oc_place AS is_oc,
        c.place = m.closed_place AS is_closed_touch,
        c.place = m.closed_place AND NOT o.is_closed AS is_closed_pending
    FROM candidate AS c
    INNER JOIN milestone AS m ON m.opportunity_key = c.opportunity_key
    INNER JOIN first_lc AS l ON l.opportunity_key = c.opportunity_key
    INNER JOIN opportunity_fact AS o ON o.opportunity_key = c.opportunity_key
)
SELECT
    *,
    'BAT2_' || opportunity_id || '_' || contact_id || '_' || touch_id AS unique_id,
    SUBSTRING(
        CASE WHEN is_ft THEN ', FT' ELSE '' END
        || CASE WHEN is_lc THEN ', LC' ELSE '' END
        || CASE WHEN is_oc THEN ', OC' ELSE '' END
        || CASE WHEN is_closed_touch AND NOT is_closed_pending THEN ', Closed' ELSE '' END
        || CASE WHEN is_form THEN ', Form' ELSE '' END,
        3
    ) AS positions
FROM marked
WHERE is_form OR is_ft OR is_lc OR is_oc OR is_closed_touch;

-- audit: an_opportunity_with_touches_holds_each_milestone_once
SELECT opportunity_key
FROM opportunity_position
GROUP BY opportunity_key
HAVING SUM(CASE WHEN is_ft THEN 1 ELSE 0 END) <> 1
    OR SUM(CASE WHEN is_lc THEN 1 ELSE 0 END) <> 1
    OR SUM(CASE WHEN is_oc THEN 1 ELSE 0 END) <> 1
    OR SUM(CASE WHEN is_closed_touch THEN 1 ELSE 0 END) <> 1;
