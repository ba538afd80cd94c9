package main

import (
	"regexp"
	"strings"
)

const stopsMax = 255

// A stop covers calls from its entry on, until a resume ends it.
type stop struct {
	id       string
	position int
	scope    object
	inFlight int
}

var scopeTexts = []string{"agent", "action", "tenant", "session"}

func isScope(value any) bool {
	if hasOnly(value, []string{"all"}, nil) {
		return value.(object)["all"] == true
	}
	if !hasOnly(value, nil, append([]string{"on_behalf_of"}, scopeTexts...)) {
		return false
	}
	scope := value.(object)
	for _, name := range scopeTexts {
		if !fitsIfPresent(scope, name, isLabel) {
			return false
		}
	}
	return len(scope) > 0 && fitsIfPresent(scope, "on_behalf_of", isNamed)
}

// stopProblem applies a stop, or the end of one, to the open stops.
func (w *walk) stopProblem(entry, block object) string {
	kind, problem := block.text("kind"), "CONTROL_INVALID"
	if kind == "stop" {
		problem = "STOP_INVALID"
	}
	isNoted := isText(block["reason"], 0, 1024) && isText(block["by"], 1, 256)
	if !entry.has("created_at") || !isNoted || !fits(uuidV4Form, block["stop_id"]) || len(canonical(block)) > controlBytesMax {
		return problem
	}
	at := -1
	for i, open := range w.stops {
		if open.id == block["stop_id"] {
			at = i
		}
	}
	if kind == "resume" {
		if at == -1 {
			return problem
		}
		w.stops = append(append([]stop{}, w.stops[:at]...), w.stops[at+1:]...)
		w.resumes++
		return ""
	}
	if !isScope(block["scope"]) || at != -1 {
		return problem
	}
	scope, same := block.object("scope"), 0
	for _, open := range w.stops {
		if open.scope.has("all") == scope.has("all") {
			same++
		}
	}
	if same >= stopsMax {
		return problem
	}
	w.stops = append(w.stops, stop{block.text("stop_id"), w.entries, scope, len(w.open())})
	return ""
}

func (w *walk) isStopped(entry object) bool {
	for _, open := range w.stops {
		if covers(open.scope, entry) {
			return true
		}
	}
	return false
}

func covers(scope, entry object) bool {
	if scope.has("all") {
		return true
	}
	// An authority that is not valid matches no scope.
	authority := object{}
	if isAuthority(entry["authority"]) {
		authority = entry.object("authority")
	}
	subject := authority.object("on_behalf_of")
	for name, value := range scope.object("on_behalf_of") {
		if subject[name] != value {
			return false
		}
	}
	for _, name := range []string{"tenant", "session"} {
		if scope.has(name) && authority[name] != scope[name] {
			return false
		}
	}
	return matches(scope, "agent", entry.text("agent_id")) && matches(scope, "action", entry.text("action"))
}

// matches compares a text with a pattern, in which * stands for any characters and ? for one.
func matches(scope object, name, text string) bool {
	if !scope.has(name) {
		return true
	}
	pattern := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(scope.text(name)))
	return regexp.MustCompile(`\A(?s:` + pattern + `)\z`).MatchString(text)
}
