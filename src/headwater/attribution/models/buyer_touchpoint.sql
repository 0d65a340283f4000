-- Each person's own story: FT, LC and PostLC, shown on every unconverted lead and every contact of that address.

DROP TABLE IF EXISTS person_position;
CREATE TABLE person_position AS
WITH numbered AS (
    SELECT
        t.person_key,
        t.touch_id,
        t.is_form,
        t.touch_utc <= p.created_utc AS is_before_creation,
        ROW_NUMBER() OVER (PARTITION BY t.person_key ORDER BY t.touch_utc, t.touch_id) AS place
    FROM touch AS t
    INNER JOIN person AS p ON p.person_key = t.person_key
    CROSS JOIN run_setting AS s
    WHERE t.touch_utc <= s.as_of_utc
),
milestone AS (
    SELECT
        person_key,
        COALESCE(
            MIN(CASE WHEN is_form THEN place END),
            MAX(CASE WHEN is_before_creation THEN place END),
            MIN(place)
        ) AS lc_place
    FROM numbered
    GROUP BY person_key
)
SELECT
    n.person_key,
    n.touch_id,
    n.place,
    n.is_form,
    n.place = 1 AS is_ft,
    n.place = m.lc_place AS is_lc,
    n.is_form AND n.place > m.lc_place AS is_post_lc
FROM numbered AS n
INNER JOIN milestone AS m ON m.person_key = n.person_key;

DROP TABLE IF EXISTS buyer_touchpoint;
CREATE TABLE buyer_touchpoint AS
SELECT
    'TP2_Person_' || r.record_id || '_' || p.touch_id AS unique_id,
    p.person_key || '_' || p.touch_id AS user_touchpoint_id,
    r.record_id,
    CASE WHEN r.record_kind = 'lead' THEN r.lead_id END AS lead_id,
    CASE WHEN r.record_kind = 'contact' THEN r.contact_id END AS contact_id,
    r.account_id,
    p.person_key,
    p.touch_id,
    SUBSTRING(
        CASE WHEN p.is_ft THEN ', FT' ELSE '' END
        || CASE WHEN p.is_lc THEN ', LC' ELSE '' END
        || CASE WHEN p.is_post_lc THEN ', PostLC' ELSE '' END
        || CASE WHEN p.is_form THEN ', Form' ELSE '' END,
        3
    ) AS positions,
    CAST(CASE WHEN p.is_ft THEN 1 ELSE 0 END AS DECIMAL(3, 2)) AS count_first_touch,
    CAST(CASE WHEN p.is_lc THEN 1 ELSE 0 END AS DECIMAL(3, 2)) AS count_lead_creation,
    CAST(
        CASE WHEN p.is_ft THEN 0.5 ELSE 0 END + CASE WHEN p.is_lc THEN 0.5 ELSE 0 END AS DECIMAL(3, 2)
    ) AS count_u_shaped,
    t.touch_utc,
    t.kind,
    t.channel,
    t.subchannel,
    t.channel_path,
    t.touchpoint_type,
    t.touchpoint_source,
    t.medium,
    t.campaign_id,
    t.ad_campaign_id,
    t.ad_campaign_name,
    t.ad_content,
    t.ad_id
FROM person_position AS p
INNER JOIN touch AS t ON t.touch_id = p.touch_id
INNER JOIN person_record AS r ON r.person_key = p.person_key AND r.is_shown
WHERE p.is_ft OR p.is_lc OR p.is_post_lc;

-- audit: each_record_has_one_ft_and_one_lc
SELECT record_id
FROM buyer_touchpoint
GROUP BY record_id
HAVING SUM(count_first_touch) <> 1 OR SUM(count_lead_creation) <> 1 OR SUM(count_u_shaped) <> 1;
