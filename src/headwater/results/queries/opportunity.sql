-- One opportunity, in the columns of opportunities.sql.
SELECT
    o.Id,
    COALESCE(o.Name, '') AS name,
    COALESCE(a.Name, '') AS account_name,
    COALESCE(o.StageName, '') AS stage,
    COALESCE(o.IsClosed, FALSE) AS is_closed,
    COALESCE(o.IsWon, FALSE) AS is_won,
    f.opportunity_cents,
    o.CreatedDate AS created_utc,
    o.CloseDate,
    (SELECT COUNT(*) FROM attribution_touchpoint AS t WHERE t.opportunity_id = o.Id) AS touches
FROM Opportunity AS o
INNER JOIN opportunity_fact AS f ON f.opportunity_id = o.Id
LEFT JOIN Account AS a ON a.Id = o.AccountId
WHERE o.Id = $id;
