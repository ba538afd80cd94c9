package main

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
)

const (
	controlBytesMax = 64 * 1024
	countMax        = 1<<53 - 1
)

var (
	hashForm       = regexp.MustCompile(`\A[0-9a-f]{64}\z`)
	keyIDForm      = regexp.MustCompile(`\A[0-9a-f]{16}\z`)
	uuidV4Form     = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z`)
	groupForm      = regexp.MustCompile(`\A[a-z0-9._@+-]{1,128}\z`)
	thumbprintForm = regexp.MustCompile(`\A[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\z`)
	timestampForm  = regexp.MustCompile(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z\z`)
)

func fits(form *regexp.Regexp, value any) bool {
	text, ok := value.(string)
	return ok && form.MatchString(text)
}

func isHash(value any) bool { return fits(hashForm, value) }

// isText reports whether a value is a text of this length, in UTF-16 units.
func isText(value any, least, most int) bool {
	text, ok := value.(string)
	length := len(utf16.Encode([]rune(text)))
	return ok && least <= length && length <= most
}

// isID reports whether a value is a text of 1 to 256 characters without control characters.
func isID(value any) bool {
	text, _ := value.(string)
	for _, r := range text {
		if unicode.Is(unicode.Cc, r) {
			return false
		}
	}
	return isText(value, 1, 256)
}

func isCount(value any, least, most int64) bool {
	number, ok := value.(json.Number)
	if !ok {
		return false
	}
	n, err := strconv.ParseInt(number.String(), 10, 64)
	// -0, and a number with a decimal point or an exponent, is not written as a count is.
	return err == nil && strconv.FormatInt(n, 10) == number.String() && least <= n && n <= most
}

func isTimestamp(value any) bool {
	text, ok := value.(string)
	_, err := parseTime(text)
	return ok && err == nil
}

func parseTime(text string) (time.Time, error) {
	if !timestampForm.MatchString(text) {
		return time.Time{}, &time.ParseError{Value: text, Message: ": not a timestamp"}
	}
	return time.Parse("2006-01-02T15:04:05.000000Z", text)
}

// hasOnly reports whether a value is an object with these members.
func hasOnly(value any, required, optional []string) bool {
	members, ok := value.(object)
	if !ok {
		return false
	}
	known := map[string]bool{}
	for _, name := range required {
		known[name] = true
		if !members.has(name) {
			return false
		}
	}
	for _, name := range optional {
		known[name] = true
	}
	for name := range members {
		if !known[name] {
			return false
		}
	}
	return true
}

// fitsIfPresent checks a member that may be missing.
func fitsIfPresent(members object, name string, is func(any) bool) bool {
	return !members.has(name) || is(members[name])
}

func isLabel(value any) bool { return isText(value, 1, 256) }

func isAuthority(value any) bool {
	if !hasOnly(value, nil, []string{"on_behalf_of", "tenant", "session", "delegation"}) {
		return false
	}
	authority := value.(object)
	return len(authority) > 0 &&
		fitsIfPresent(authority, "tenant", isLabel) &&
		fitsIfPresent(authority, "session", isLabel) &&
		fitsIfPresent(authority, "on_behalf_of", isSubject) &&
		fitsIfPresent(authority, "delegation", isDelegation)
}

func isDelegation(value any) bool {
	list, ok := value.([]any)
	for _, delegate := range list {
		if !isNamed(delegate) {
			return false
		}
	}
	return ok && 1 <= len(list) && len(list) <= 8
}

// isNamed reports whether a value is a delegate, or the subject of a scope: an ID, and perhaps its issuer.
func isNamed(value any) bool {
	if !hasOnly(value, []string{"id"}, []string{"issuer"}) {
		return false
	}
	named := value.(object)
	return isID(named["id"]) && fitsIfPresent(named, "issuer", isID)
}

func isSubject(value any) bool {
	if !hasOnly(value, []string{"id", "type", "assurance"}, []string{"issuer", "evidence"}) {
		return false
	}
	subject := value.(object)
	isVerified := subject["assurance"] == "verified"
	return isID(subject["id"]) &&
		(subject["type"] == "user" || subject["type"] == "service") &&
		(isVerified || subject["assurance"] == "asserted") &&
		fitsIfPresent(subject, "issuer", isID) &&
		fitsIfPresent(subject, "evidence", isEvidence) &&
		(!isVerified || subject.has("issuer") && subject.has("evidence"))
}

func isEvidence(value any) bool {
	if !hasOnly(value, []string{"kind", "key"}, nil) {
		return false
	}
	evidence := value.(object)
	return evidence["kind"] == "jwt" && fits(thumbprintForm, evidence["key"])
}

// authorityHash returns the hash of the member `authority`; nil without one.
func authorityHash(members object) any {
	if !members.has("authority") {
		return nil
	}
	return hash(members["authority"])
}
