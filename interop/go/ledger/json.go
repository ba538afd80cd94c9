package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf16"
)

// object is a JSON object.
type object map[string]any

// object returns a member that is an object; nil if it is not one.
func (o object) object(name string) object {
	value, _ := o[name].(object)
	return value
}

// text returns a member that is a text; empty if it is not one.
func (o object) text(name string) string {
	value, _ := o[name].(string)
	return value
}

func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

// parse reads a JSON text. Numbers are kept as they are written (json.Number).
func parse(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return objects(value), nil
}

// parseCanonical also refuses a text that differs from the canonical form of its value. So a duplicate member is
// refused, too. Numbers are not examined.
func parseCanonical(text string) (object, error) {
	value, err := parse(text)
	if err != nil {
		return nil, err
	}
	if canonical(value) != text {
		return nil, errors.New("not canonical")
	}
	result, ok := value.(object)
	if !ok {
		return nil, errors.New("not an object")
	}
	return result, nil
}

func clone[M ~map[K]V, K comparable, V any](m M) M {
	same := make(M, len(m))
	for key, value := range m {
		same[key] = value
	}
	return same
}

func objects(value any) any {
	switch value := value.(type) {
	case map[string]any:
		result := object{}
		for name, member := range value {
			result[name] = objects(member)
		}
		return result
	case []any:
		for i, item := range value {
			value[i] = objects(item)
		}
	}
	return value
}

// canonical encodes a value by RFC 8785, with numbers as they were written.
func canonical(value any) string {
	var b strings.Builder
	write(&b, value)
	return b.String()
}

func write(b *strings.Builder, value any) {
	switch value := value.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		fmt.Fprint(b, value)
	case json.Number:
		b.WriteString(value.String())
	case string:
		writeText(b, value)
	case []any:
		b.WriteByte('[')
		for i, item := range value {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, item)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, name := range sortedNames(value) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, name)
			b.WriteByte(':')
			write(b, value[name])
		}
		b.WriteByte('}')
	default:
		panic(fmt.Sprintf("not a JSON value: %T", value))
	}
}

// sortedNames sorts by UTF-16 code units.
func sortedNames(o object) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := utf16.Encode([]rune(names[i])), utf16.Encode([]rune(names[j]))
		for k := 0; k < len(a) && k < len(b); k++ {
			if a[k] != b[k] {
				return a[k] < b[k]
			}
		}
		return len(a) < len(b)
	})
	return names
}

var escapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
}

func writeText(b *strings.Builder, text string) {
	b.WriteByte('"')
	for _, r := range text {
		switch escaped, ok := escapes[r]; {
		case ok:
			b.WriteString(escaped)
		case r < 0x20:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// hash returns the SHA-256 of the canonical form, in lower-case hex.
func hash(value any) string {
	sum := sha256.Sum256([]byte(canonical(value)))
	return hex.EncodeToString(sum[:])
}
