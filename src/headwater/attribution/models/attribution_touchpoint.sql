-- One row for each touch that an opportunity credits, with every model beside it. Models without credit show 0.

DROP TABLE IF EXISTS attribution_touchpoint;
CREATE TABLE attribution_touchpoint AS
WITH credit AS (
    SELECT
        opportunity_key,
        place,
        MAX(CASE WHEN model = 'first_touch' THEN percent END) AS percent_first_touch,
        MAX(CASE WHEN model = 'lead_creation' THEN percent END) AS percent_lead_creation,
        MAX(CASE WHEN model = 'u_shaped' THEN percent END) AS percent_u_shaped,
        MAX(CASE WHEN model = 'w_shaped' THEN percent END) AS percent_w_shaped,
        MAX(CASE WHEN model = 'full_path' THEN percent END) AS percent_full_path,
        MAX(CASE WHEN model = 'first_touch' THEN amount_cents END) AS cents_first_touch,
        MAX(CASE WHEN model = 'lead_creation' THEN amount_cents END) AS cents_lead_creation,
        MAX(CASE WHEN model = 'u_shaped' THEN amount_cents END) AS cents_u_shaped,
        MAX(CASE WHEN model = 'w_shaped' THEN amount_cents END) AS cents_w_shaped,
        MAX(CASE WHEN model = 'full_path' THEN amount_cents END) AS cents_full_path
    FROM share
    GROUP BY opportunity_key, place
),
joined AS (
    SELECT
        p.unique_id, p.opportunity_id, o.account_id, p.contact_id, t.person_key, p.touch_id, p.positions,
        p.is_ft, p.is_lc, p.is_oc, p.is_closed_touch, p.is_closed_pending, p.is_form,
        o.currency_iso_code,
        COALESCE(c.percent_first_touch, 0) AS percent_first_touch,
        COALESCE(c.percent_lead_creation, 0) AS percent_lead_creation,
        COALESCE(c.percent_u_shaped, 0) AS percent_u_shaped,
        COALESCE(c.percent_w_shaped, 0) AS percent_w_shaped,
        COALESCE(c.percent_full_path, 0) AS percent_full_path,
        CASE WHEN o.opportunity_cents IS NOT NULL THEN COALESCE(c.cents_first_touch, 0) END
            AS revenue_cents_first_touch,
        CASE WHEN o.opportunity_cents IS NOT NULL THEN COALESCE(c.cents_lead_creation, 0) END
            AS revenue_cents_lead_creation,
        CASE WHEN o.opportunity_cents IS NOT NULL THEN COALESCE(c.cents_u_shaped, 0) END
            AS revenue_cents_u_shaped,
        CASE WHEN o.opportunity_cents IS NOT NULL THEN COALESCE(c.cents_w_shaped, 0) END
            AS revenue_cents_w_shaped,
        CASE WHEN o.opportunity_cents IS NOT NULL THEN COALESCE(c.cents_full_path, 0) END
            AS revenue_cents_full_path,
        t.touch_utc, t.kind, t.channel, t.subchannel, t.channel_path, t.touchpoint_type, t.touchpoint_source,
        t.medium, t.campaign_id, t.ad_campaign_id, t.ad_campaign_name, t.ad_content, t.ad_id
    FROM opportunity_position AS p
    INNER JOIN opportunity_fact AS o ON o.opportunity_key = p.opportunity_key
    INNER JOIN touch AS t ON t.touch_id = p.touch_id
    LEFT JOIN credit AS c ON c.opportunity_key = p.opportunity_key AND c.place = p.place
)
SELECT
    *,
    person_key || '_' || touch_id AS user_touchpoint_id,
    CAST(percent_first_touch * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(9, 8)) AS count_first_touch,
    CAST(percent_lead_creation * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(9, 8)) AS count_lead_creation,
    CAST(percent_u_shaped * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(9, 8)) AS count_u_shaped,
    CAST(percent_w_shaped * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(9, 8)) AS count_w_shaped,
    CAST(percent_full_path * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(9, 8)) AS count_full_path
FROM joined;

-- audit: every_credited_touch_is_listed_once
SELECT COUNT(*) AS listed
FROM attribution_touchpoint
HAVING COUNT(*) <> (SELECT COUNT(*) FROM opportunity_position) OR COUNT(*) <> COUNT(DISTINCT unique_id);

-- audit: touchpoints_sum_to_the_amount
SELECT a.opportunity_id
FROM attribution_touchpoint AS a
INNER JOIN opportunity_fact AS o ON o.opportunity_id = a.opportunity_id
GROUP BY a.opportunity_id, o.opportunity_cents
HAVING SUM(a.revenue_cents_first_touch) <> o.opportunity_cents
    OR SUM(a.revenue_cents_lead_creation) <> o.opportunity_cents
    OR SUM(a.revenue_cents_u_shaped) <> o.opportunity_cents
    OR SUM(a.revenue_cents_w_shaped) <> o.opportunity_cents
    OR SUM(a.revenue_cents_full_path) <> o.opportunity_cents;
