package main

// A call is a decision, and what has become of it.
type call struct {
	entry     object
	position  int
	isAllowed bool
	isDone    bool
}

// decision applies a decision.
func (w *walk) decision(entry object) {
	block, approval := entry.object("decision"), entry.object("approval")
	id, request, isAllowed := block.text("decision_hash"), entry.text("request_id"), block["effect"] == "allow"
	w.decisions++
	w.find(entry, authorityProblem(entry))
	if isAllowed && w.isStopped(entry) {
		w.find(entry, "ALLOWED_WHILE_STOPPED")
	}
	w.find(entry, w.answerProblem(entry))
	if isAllowed && approval != nil {
		w.approved++
		if approval.has("requirement") && canonical(approval["redacted"]) != "0" {
			w.redacted++
		}
		w.find(entry, approvalProblems(entry, approval)...)
		w.find(entry, w.useProblems(approval)...)
	}
	if w.calls[id] != nil || w.requests[request] {
		w.find(entry, "DECISION_DUPLICATE")
	}
	if w.calls[id] == nil {
		w.calls[id] = &call{entry: entry, position: w.entries, isAllowed: isAllowed}
		w.order = append(w.order, w.calls[id])
		w.requests[request] = true
	}
}

// outcomeProblem applies an outcome to its decision.
func (w *walk) outcomeProblem(entry object) string {
	id := entry.object("decision").text("decision_hash")
	decided := w.calls[id]
	switch {
	case decided == nil:
		return "DECISION_UNKNOWN"
	case decided.isDone:
		return "OUTCOME_DUPLICATE"
	case !decided.isAllowed:
		return "OUTCOME_AFTER_DENY"
	case decided.entry["request_id"] != entry["request_id"]:
		return "REQUEST_ID_MISMATCH"
	}
	decided.isDone = true
	isSame := decisionHash(entry, decided.entry["created_at"]) == id && entry["agent_id"] == decided.entry["agent_id"]
	if !isSame {
		return "DECISION_HASH_MISMATCH"
	}
	return ""
}

func authorityProblem(entry object) string {
	if entry.has("authority") && !isAuthority(entry["authority"]) {
		return "AUTHORITY_INVALID"
	}
	return ""
}

func approvalProblems(entry, approval object) (problems []string) {
	if approval["state"] != "approved" {
		problems = append(problems, "APPROVAL_NOT_APPROVED")
	}
	decision := entry.object("decision")
	bound := object{
		"request_id":    entry["request_id"],
		"policy_hash":   decision["policy_hash"],
		"decision_hash": decision["decision_hash"],
	}
	binding := approval.object("binding")
	for name, value := range bound {
		if binding[name] != value {
			problems = append(problems, "APPROVAL_BINDING_MISMATCH")
			break
		}
	}
	if isLate(approval, entry.text("recorded_at")) {
		problems = append(problems, "APPROVAL_EXPIRED")
	}
	return problems
}

func isLate(approval object, recorded string) bool {
	if approval["expires_at"] == nil {
		return false
	}
	expires, err := parseTime(approval.text("expires_at"))
	if err != nil {
		return true
	}
	if approval["resolved_at"] != nil {
		resolved, err := parseTime(approval.text("resolved_at"))
		if err != nil || resolved.After(expires) {
			return true
		}
	}
	recordedAt, err := parseTime(recorded)
	return err != nil || recordedAt.After(expires.Add(grace))
}

// useProblems records the use of an approval. In a ledger with a genesis, each approval has its times and is used once.
func (w *walk) useProblems(approval object) (problems []string) {
	if !w.hasGenesis {
		return nil
	}
	id := approval.text("approval_id")
	if w.approvals[id] {
		problems = append(problems, "APPROVAL_REUSED")
	}
	w.approvals[id] = true
	if approval["created_at"] == nil || approval["resolved_at"] == nil || approval["expires_at"] == nil {
		problems = append(problems, "APPROVAL_INCOMPLETE")
	}
	return problems
}

func decisionHash(entry object, decisionAt any) string {
	var actor any = object{"principal": entry["agent_id"], "source": "python"}
	if entry.has("actor") {
		actor = entry["actor"]
	}
	return hash(object{
		"version":     "2.0",
		"request_id":  entry["request_id"],
		"decision_at": decisionAt,
		"policy_hash": entry.object("decision")["policy_hash"],
		"intent":      entry["action"],
		"resource":    object{"type": "function", "name": entry["action"]},
		"parameters":  entry["parameters"],
		"actor":       actor,
	})
}
