// Checks sudoagent's evidence with an independent implementation: golang.org/x/mod's sumdb/note and sumdb/tlog, which
// the Go checksum database uses. Only sudoagent's files are used here, not its code.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run check_evidence.go evidence.json
//
// make-evidence.mjs writes evidence.json: checkpoints, inclusion proofs (C2SP tlog-proof texts), consistency proofs and
// whole trees, each with its expected result. Exits with 1 if a result differs.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type evidence struct {
	Vkey        string
	Checkpoints []struct {
		What, Note string
		Holds      bool
	}
	Inclusions []struct {
		What, Proof string
		EntryHash   string `json:"entry_hash"`
		Holds       bool
	}
	Consistencies []struct {
		What, Old, New string
		Hashes         []string
		Holds          bool
	}
	Trees []struct {
		What, Note  string
		EntryHashes []string `json:"entry_hashes"`
		Holds       bool
	}
}

// tree opens a signed checkpoint: origin, size and root, one on each line.
func tree(signed string, v note.Verifier) (size int64, root tlog.Hash, err error) {
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return 0, root, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != v.Name() {
		return 0, root, errors.New("not a checkpoint of this log")
	}
	size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, root, err
	}
	root, err = hash(lines[2])
	return size, root, err
}

func hash(text string) (h tlog.Hash, err error) {
	bytes, err := base64.StdEncoding.Strict().DecodeString(text)
	if err == nil && copy(h[:], bytes) != len(h) {
		err = errors.New("not a hash")
	}
	return h, err
}

func hashes(lines []string) (list []tlog.Hash, err error) {
	for _, line := range lines {
		h, err := hash(line)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, nil
}

// leaf returns the tree's leaf for an entry: the leaf hash of the raw bytes of its entry_hash.
func leaf(entryHash string) (tlog.Hash, error) {
	data, err := hex.DecodeString(entryHash)
	return tlog.RecordHash(data), err
}

// inclusion checks a C2SP tlog-proof: a header, the index, the hashes, a blank line, the checkpoint.
func inclusion(proof, entryHash string, v note.Verifier) error {
	parts := strings.SplitN(proof, "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	path, err := hashes(lines[2:])
	if err != nil {
		return err
	}
	size, root, err := tree(parts[1], v)
	if err != nil {
		return err
	}
	h, err := leaf(entryHash)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(tlog.RecordProof(path), size, root, index, h)
}

func consistency(older, newer string, lines []string, v note.Verifier) error {
	oldSize, oldRoot, err := tree(older, v)
	if err != nil {
		return err
	}
	newSize, newRoot, err := tree(newer, v)
	if err != nil {
		return err
	}
	path, err := hashes(lines)
	if err != nil {
		return err
	}
	return tlog.CheckTree(tlog.TreeProof(path), newSize, newRoot, oldSize, oldRoot)
}

// wholeTree recomputes the root from the entry hashes.
func wholeTree(signed string, entryHashes []string, v note.Verifier) error {
	size, root, err := tree(signed, v)
	if err != nil {
		return err
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var list []tlog.Hash
		for _, i := range indexes {
			list = append(list, stored[i])
		}
		return list, nil
	})
	for i, entryHash := range entryHashes {
		data, err := hex.DecodeString(entryHash)
		if err != nil {
			return err
		}
		more, err := tlog.StoredHashes(int64(i), data, read)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	computed, err := tlog.TreeHash(int64(len(entryHashes)), read)
	if err != nil {
		return err
	}
	if size != int64(len(entryHashes)) || computed != root {
		return errors.New("the checkpoint has a different root")
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: check_evidence evidence.json")
		os.Exit(2)
	}
	var e evidence
	bytes, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = json.Unmarshal(bytes, &e)
	}
	var v note.Verifier
	if err == nil {
		v, err = note.NewVerifier(e.Vkey)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	judged, wrong := 0, 0
	judge := func(what string, holds bool, err error) {
		judged++
		if (err == nil) != holds {
			wrong++
			fmt.Printf("%s: expected to be valid: %v, found: %v\n", what, holds, err)
		}
	}
	for _, c := range e.Checkpoints {
		_, _, err := tree(c.Note, v)
		judge(c.What, c.Holds, err)
	}
	for _, i := range e.Inclusions {
		judge(i.What, i.Holds, inclusion(i.Proof, i.EntryHash, v))
	}
	for _, c := range e.Consistencies {
		judge(c.What, c.Holds, consistency(c.Old, c.New, c.Hashes, v))
	}
	for _, t := range e.Trees {
		judge(t.What, t.Holds, wholeTree(t.Note, t.EntryHashes, v))
	}
	if len(e.Checkpoints) == 0 || len(e.Inclusions) == 0 || len(e.Consistencies) == 0 || len(e.Trees) == 0 {
		fmt.Println("evidence.json is incomplete")
		os.Exit(1)
	}
	fmt.Printf("%d checkpoints, %d inclusion proofs, %d consistency proofs, %d trees: %d with an unexpected result\n",
		len(e.Checkpoints), len(e.Inclusions), len(e.Consistencies), len(e.Trees), wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}
