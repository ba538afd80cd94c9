// Checks ledgers with questions with a second implementation in Go, so that a bug in the first cannot go unnoticed.
//
//	go run interop/go/ledger/*.go VECTORS [LEDGERS…]
//
// VECTORS is the folder vectors/authority. Each of LEDGERS is a folder with ledgers and an index.json of the same form
// as questions/index.json. Exits with 1 if a result differs from the one that a vector states.
//
// The program follows docs/ledger-format.md for the entries that sudoagent writes: canonical JSON, entry hashes, the
// chain, decision hashes, authorities, stops, questions, approvals, and the life cycle of calls. It checks neither
// signatures and keys nor the entries of other writers, and uses only the standard library.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

var passed, failed int

// check compares the canonical JSON of two values.
func check(what string, found, expected any) {
	foundText, expectedText := canonicalOf(found), canonicalOf(expected)
	if foundText == expectedText {
		passed++
		return
	}
	failed++
	fmt.Printf("%s: expected %s, found %s\n", what, expectedText, foundText)
}

// canonicalOf encodes a Go value by way of its JSON.
func canonicalOf(value any) string {
	text, err := json.Marshal(value)
	if err == nil {
		value, err = parse(string(text))
	}
	if err != nil {
		panic(err)
	}
	return canonical(value)
}

// read returns the vectors of a file. If vectors were moved, their checks must fail instead of passing without vectors.
func read(path ...string) ([]object, error) {
	bytes, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		return nil, err
	}
	value, err := parse(string(bytes))
	if err != nil {
		return nil, err
	}
	list, _ := value.([]any)
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no vectors", filepath.Join(path...))
	}
	vectors := make([]object, len(list))
	for i, one := range list {
		vectors[i], _ = one.(object)
	}
	return vectors, nil
}

func checkHashes(folder string) error {
	shapes := map[string]func(any) bool{"authority": isAuthority, "requirement": isRequirement}
	for name, isValid := range shapes {
		accept, err := read(folder, name+"-accept.json")
		if err != nil {
			return err
		}
		reject, err := read(folder, name+"-reject.json")
		if err != nil {
			return err
		}
		for _, vector := range accept {
			what := fmt.Sprintf("%s, %v", name, vector["why"])
			check(what, isValid(vector[name]), true)
			// Go's standard library does not normalize text. The text of an entry is in NFC.
			if vector["not_nfc"] != true {
				check(what, hash(vector[name]), vector[name+"_hash"])
			}
		}
		for _, vector := range reject {
			check(fmt.Sprintf("%s, %v", name, vector["why"]), isValid(vector[name]), false)
		}
	}
	return nil
}

func checkPairs(folder string) error {
	vectors, err := read(folder, "pairs.json")
	for _, vector := range vectors {
		asked, decision := vector.object("asked"), vector.object("decision")
		what := fmt.Sprintf("pair, %v", vector["name"])
		check(what, isQuestion(asked), true)
		var differs any
		if name := differing(asked, decision); name != "" {
			differs = name
		}
		check(what, differs, vector["differs"])
	}
	return err
}

func checkLedgers(folder string) error {
	vectors, err := read(folder, "index.json")
	if err != nil {
		return err
	}
	for _, vector := range vectors {
		path := filepath.Join(folder, vector.text("file"))
		bytes, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSuffix(string(bytes), "\n"), "\n")
		if err := checkLedger(path, lines, vector.object("report"), vector["cuts"].([]any)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func checkLedger(path string, lines []string, report object, cuts []any) error {
	w := newWalk()
	for i, line := range lines {
		if err := w.line(line); err != nil {
			return err
		}
		if i < len(cuts) {
			what := fmt.Sprintf("%s, cut at %d", path, i+1)
			if err := checkCut(what, w, lines[i+1:], report, cuts[i].(object)); err != nil {
				return err
			}
		}
	}
	compare(path, w.report(), report)
	return nil
}

// checkCut compares the questions before a cut, and a run that continues from there.
func checkCut(what string, w *walk, rest []string, report, cut object) error {
	before := w.report()
	check(what+", questions", before["questions"], cut["questions"])
	check(what+", has a state", before["ok"], cut["resumed"] != nil)
	if cut["resumed"] == nil {
		return nil
	}
	later := w.resumed()
	for _, line := range rest {
		if err := later.line(line); err != nil {
			return err
		}
	}
	expected := object{}
	for _, members := range []object{report, cut.object("resumed")} {
		for name, value := range members {
			expected[name] = value
		}
	}
	compare(what, later.report(), expected)
	return nil
}

// compare compares the members that this program reports.
func compare(what string, found map[string]any, expected object) {
	for name, value := range found {
		check(what+", "+name, value, expected[name])
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: ledger VECTORS [LEDGERS…]")
	}
	if err := checkHashes(args[0]); err != nil {
		return err
	}
	questions := filepath.Join(args[0], "questions")
	if err := checkPairs(questions); err != nil {
		return err
	}
	for _, folder := range append([]string{questions}, args[1:]...) {
		if err := checkLedgers(folder); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Printf("authorities and questions, in Go: %d checks passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
