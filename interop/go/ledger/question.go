package main

import (
	"encoding/json"
	"strconv"
	"time"
)

const (
	questionsMax        = 10_000
	questionsOfAgentMax = 100
	questionTimeMin     = time.Millisecond
	questionTimeMax     = 7 * 24 * time.Hour
	grace               = time.Minute
)

// A question has no decision yet.
type question struct {
	block   object
	expires time.Time
}

// questions are those of a ledger, by request ID.
type questions struct {
	open    map[string]question
	ofAgent map[string]int
	// firstEnd is not after the deadline of any of them.
	firstEnd time.Time
}

func newQuestions() questions {
	return questions{open: map[string]question{}, ofAgent: map[string]int{}}
}

func (q *questions) clone() questions {
	return questions{clone(q.open), clone(q.ofAgent), q.firstEnd}
}

func (q *questions) add(block object, expires time.Time) {
	if len(q.open) == 0 || expires.Before(q.firstEnd) {
		q.firstEnd = expires
	}
	q.open[block.text("request_id")] = question{block, expires}
	q.ofAgent[block.text("agent_id")]++
}

func (q *questions) close(id string) (open question, isOpen bool) {
	open, isOpen = q.open[id]
	if isOpen {
		delete(q.open, id)
		q.ofAgent[open.block.text("agent_id")]--
	}
	return open, isOpen
}

func (q *questions) hasRoom(agent string) bool {
	return len(q.open) < questionsMax && q.ofAgent[agent] < questionsOfAgentMax
}

// dropExpired removes the questions whose deadline is more than a minute before this time, and returns their number.
func (q *questions) dropExpired(recordedAt time.Time) (expired int) {
	limit := recordedAt.Add(-grace)
	if len(q.open) == 0 || !q.firstEnd.Before(limit) {
		return 0
	}
	rest := newQuestions()
	for _, one := range q.open {
		if one.expires.Before(limit) {
			expired++
		} else {
			rest.add(one.block, one.expires)
		}
	}
	*q = rest
	return expired
}

func isRequirement(value any) bool {
	if !hasOnly(value, []string{"rule", "factors", "assurance", "registry_hash"}, nil) {
		return false
	}
	requirement := value.(object)
	rule, registry := requirement["rule"], requirement["registry_hash"]
	factors, _ := requirement["factors"].([]any)
	sum := 0
	for _, factor := range factors {
		approvals := approvalsOf(factor)
		if approvals == 0 {
			return false
		}
		sum += approvals
	}
	if (rule != nil && !isLabel(rule)) || len(factors) < 1 || len(factors) > 8 || sum > 16 {
		return false
	}
	switch requirement["assurance"] {
	case "signed":
		return isHash(registry)
	case "asserted":
		return registry == nil && len(factors) == 1 && sum == 1 && factors[0].(object)["group"] == nil
	}
	return false
}

// approvalsOf returns the number of approvals of a factor; 0 if it is not a factor.
func approvalsOf(value any) int {
	if !hasOnly(value, []string{"group", "approvals"}, nil) {
		return 0
	}
	factor := value.(object)
	if factor["group"] != nil && !fits(groupForm, factor["group"]) || !isCount(factor["approvals"], 1, 16) {
		return 0
	}
	n, _ := strconv.Atoi(factor["approvals"].(json.Number).String())
	return n
}

func isCommitment(value any) bool {
	if !hasOnly(value, []string{"key_id", "hmac"}, nil) {
		return false
	}
	commitment := value.(object)
	return fits(keyIDForm, commitment["key_id"]) && isHash(commitment["hmac"])
}

// isResult reports whether a value is the result of an outcome: a commitment with the profile and the length of what was
// hashed.
func isResult(value any) bool {
	if !hasOnly(value, []string{"key_id", "hmac", "profile", "bytes"}, nil) {
		return false
	}
	result := value.(object)
	commitment := object{"key_id": result["key_id"], "hmac": result["hmac"]}
	isProfile := result["profile"] == "jcs" || result["profile"] == "bytes"
	return isCommitment(commitment) && isProfile && isCount(result["bytes"], 0, countMax)
}

// hasValidCommitments reports whether the commitment of a decision, or the result of an outcome, has the right form or is
// absent.
func hasValidCommitments(entry object) bool {
	switch entry["event"] {
	case "decision":
		return fitsIfPresent(entry, "commitment", isCommitment)
	case "outcome":
		return fitsIfPresent(entry.object("outcome"), "result", isResult)
	}
	return true
}

// isQuestion reports whether the block of an `asked` entry has the form of a question.
func isQuestion(block object) bool {
	for _, name := range []string{"policy_hash", "action", "agent_id"} {
		if !isLabel(block[name]) {
			return false
		}
	}
	return isText(block["request_id"], 1, 128) &&
		block["approval_id"] == block["request_id"] &&
		isTimestamp(block["decision_at"]) &&
		isTimestamp(block["expires_at"]) &&
		isHash(block["decision_hash"]) &&
		fitsIfPresent(block, "authority", isAuthority) &&
		block.has("authority_hash") &&
		block["authority_hash"] == authorityHash(block) &&
		isRequirement(block["requirement"]) &&
		isCount(block["redacted"], 0, countMax) &&
		fitsIfPresent(block, "commitment", isCommitment) &&
		len(canonical(block)) <= controlBytesMax
}

// differing returns the first member in which a decision under a requirement differs from its question.
func differing(asked, entry object) string {
	approval, decision := entry.object("approval"), entry.object("decision")
	answered := []struct {
		name   string
		within object
	}{
		{"approval_id", approval},
		{"decision_hash", decision},
		{"authority_hash", object{"authority_hash": authorityHash(entry)}},
		{"policy_hash", decision},
		{"requirement", approval},
		{"expires_at", approval},
		{"agent_id", entry},
		{"redacted", approval},
		{"commitment", entry},
	}
	for _, member := range answered {
		name := member.name
		isSame := asked.has(name) == member.within.has(name) && canonical(asked[name]) == canonical(member.within[name])
		if !isSame {
			return name
		}
	}
	return ""
}

// questionProblem applies a question.
func (w *walk) questionProblem(entry, block object) string {
	recordedAt, err := parseTime(entry.text("recorded_at"))
	if err != nil || !entry.has("created_at") || !isQuestion(block) {
		return "CONTROL_INVALID"
	}
	expires, _ := parseTime(block.text("expires_at"))
	// The difference of times that are centuries apart does not fit into a duration.
	if expires.Before(recordedAt.Add(questionTimeMin)) || expires.After(recordedAt.Add(questionTimeMax)) {
		return "CONTROL_INVALID"
	}
	// No registry of approvers can be in force, so none can be named.
	if block.object("requirement")["registry_hash"] != nil {
		return "CONTROL_INVALID"
	}
	id := block.text("request_id")
	if _, isOpen := w.questions.open[id]; isOpen {
		return "ASKED_DUPLICATE"
	}
	if !w.questions.hasRoom(block.text("agent_id")) {
		return "CONTROL_INVALID"
	}
	w.questions.add(block, expires)
	// Without the decisions of an earlier run, this cannot be found, so the question is kept.
	if w.requests[id] {
		return "ASKED_DUPLICATE"
	}
	return ""
}

// answerProblem applies a decision to the question with its request ID.
func (w *walk) answerProblem(entry object) string {
	open, isOpen := w.questions.close(entry.text("request_id"))
	isAnswer := entry.object("approval").has("requirement")
	switch {
	case !isOpen && isAnswer:
		return "APPROVAL_NOT_ASKED"
	case isOpen && (!isAnswer || differing(open.block, entry) != ""):
		return "ASKED_MISMATCH"
	}
	return ""
}
