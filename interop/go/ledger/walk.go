package main

import (
	"errors"
	"fmt"
	"time"
)

// A walk follows a ledger, entry by entry: what the rules need to know of the entries before the next one.
type walk struct {
	previous   any
	recordedAt time.Time
	hasGenesis bool

	entries, decisions, outcomes, approved, redacted, expired, resumes, unknown int

	calls     map[string]*call
	order     []*call
	requests  map[string]bool
	approvals map[string]bool
	stops     []stop
	questions questions
	findings  []map[string]any
}

func newWalk() *walk {
	return &walk{
		calls:     map[string]*call{},
		requests:  map[string]bool{},
		approvals: map[string]bool{},
		questions: newQuestions(),
		findings:  []map[string]any{},
	}
}

// open returns the allowed calls without an outcome.
func (w *walk) open() []*call {
	open := []*call{}
	for _, c := range w.order {
		if c.isAllowed && !c.isDone {
			open = append(open, c)
		}
	}
	return open
}

// resumed returns the walk as a later run continues it: without the calls that have ended, and approvals that were
// used.
func (w *walk) resumed() *walk {
	later := *w
	fresh := newWalk()
	later.calls, later.requests, later.approvals = fresh.calls, fresh.requests, fresh.approvals
	later.findings, later.order = fresh.findings, nil
	later.questions = w.questions.clone()
	for _, c := range w.open() {
		same := *c
		later.calls[c.entry.object("decision").text("decision_hash")] = &same
		later.order = append(later.order, &same)
		later.requests[c.entry.text("request_id")] = true
	}
	return &later
}

// report returns members of the report of `sudoagent verify --json`.
func (w *walk) report() map[string]any {
	w.expired += w.questions.dropExpired(w.recordedAt)
	openCalls, stops := []any{}, []any{}
	for _, c := range w.open() {
		if len(openCalls) < 100 {
			openCalls = append(openCalls, map[string]any{"position": c.position, "request_id": c.entry["request_id"]})
		}
	}
	for _, s := range w.stops {
		stops = append(stops, map[string]any{
			"stop_id": s.id, "position": s.position, "scope": s.scope, "in_flight": s.inFlight,
		})
	}
	return map[string]any{
		"ok":        len(w.findings) == 0 && w.entries > 0,
		"entries":   w.entries,
		"decisions": w.decisions,
		"outcomes":  w.outcomes,
		"open":      len(w.open()),
		"stops":     stops,
		"questions": map[string]int{"open": len(w.questions.open), "expired": w.expired},
		"approvals": map[string]any{
			"signed":   map[string]int{"webauthn": 0, "sshsig": 0, "ed25519": 0},
			"asserted": w.approved,
			"redacted": w.redacted,
		},
		"approvers_by":     nil,
		"resumes":          map[string]int{"signed": 0, "operator": w.resumes},
		"controls_unknown": w.unknown,
		"open_calls":       openCalls,
		"findings":         w.findings,
		"findings_total":   len(w.findings),
	}
}

// line applies the next line. It returns an error if the line is not an entry that can follow.
func (w *walk) line(line string) error {
	w.entries++
	entry, err := parseCanonical(line)
	if err != nil {
		return fmt.Errorf("entry %d: %w", w.entries, err)
	}
	if err := w.checkSeal(entry); err != nil {
		return fmt.Errorf("entry %d: %w", w.entries, err)
	}
	if !hasValidCommitments(entry) {
		return fmt.Errorf("entry %d: commitment invalid", w.entries)
	}
	event := entry.text("event")
	if event == "decision" && decisionHash(entry, entry["created_at"]) != entry.object("decision")["decision_hash"] {
		w.find(entry, "DECISION_HASH_MISMATCH")
	}
	// Questions expire by the time before the entry.
	w.expired += w.questions.dropExpired(w.recordedAt)
	if recordedAt, err := parseTime(entry.text("recorded_at")); err != nil {
		return fmt.Errorf("entry %d: %w", w.entries, err)
	} else if recordedAt.Before(w.recordedAt) {
		w.find(entry, "CLOCK_WENT_BACK")
	} else {
		w.recordedAt = recordedAt
	}
	switch event {
	case "checkpoint":
		w.find(entry, w.controlProblem(entry))
	case "decision":
		w.decision(entry)
	case "outcome":
		w.outcomes++
		w.find(entry, authorityProblem(entry), w.outcomeProblem(entry))
	default:
		return fmt.Errorf("entry %d: not an event", w.entries)
	}
	return nil
}

func (w *walk) checkSeal(entry object) error {
	stated := entry["entry_hash"]
	if entry["schema_version"] != "2.0" || entry["ledger_version"] != "2.0" {
		return errors.New("not a supported version")
	}
	if entry["prev_entry_hash"] != w.previous {
		return errors.New("does not follow the entry before it")
	}
	body := clone(entry)
	delete(body, "entry_signature")
	body["entry_hash"] = nil
	if hash(body) != stated {
		return errors.New("has another hash")
	}
	w.previous = stated
	return nil
}

func (w *walk) find(entry object, codes ...string) {
	for _, code := range codes {
		if code == "" {
			continue
		}
		finding := map[string]any{"code": code, "position": w.entries}
		if entry["event"] != "checkpoint" {
			finding["request_id"] = entry["request_id"]
		}
		w.findings = append(w.findings, finding)
	}
}

func (w *walk) controlProblem(entry object) string {
	block := entry.object("checkpoint")
	switch kind := block.text("kind"); {
	case kind == "genesis" || kind == "key_added" || kind == "key_retired" || kind == "closed":
		w.hasGenesis = w.hasGenesis || kind == "genesis" && w.entries == 1
		return ""
	case kind != "stop" && kind != "resume" && kind != "asked":
		w.unknown++
		return ""
	case w.entries == 1:
		// The first entry must be a genesis.
		return "CONTROL_INVALID"
	case kind == "asked":
		return w.questionProblem(entry, block)
	}
	return w.stopProblem(entry, block)
}
