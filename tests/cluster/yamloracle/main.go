// yamloracle answers what the kubelet makes of a manifest's bytes.
//
// stdin: documents, each a 4-byte big-endian length and that many bytes.
// stdout: for each document one line of JSON, {"ok":true,"json":<value>} or
// {"ok":false,"error":"..."}. A "strict" member carries the error that the
// strict reading (KubeletConfiguration) gives where the lenient one
// (manifests) gives a value.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// The kubelet reads no more of a manifest (maxConfigLength in
// pkg/kubelet/config/common.go); a length beyond it is a desynchronised peer.
const maxDocument = 10 << 20

type answer struct {
	OK     bool            `json:"ok"`
	JSON   json.RawMessage `json:"json,omitempty"`
	Error  string          `json:"error,omitempty"`
	Strict string          `json:"strict,omitempty"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "yamloracle:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	writer := bufio.NewWriter(out)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for {
		document, err := next(reader)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := encoder.Encode(convert(document)); err != nil {
			return err
		}
		// The peer waits for this answer before it sends the next document.
		if err := writer.Flush(); err != nil {
			return err
		}
	}
}

// next returns io.EOF only between two documents.
func next(reader io.Reader) ([]byte, error) {
	var length uint32
	if err := binary.Read(reader, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	if length > maxDocument {
		return nil, fmt.Errorf("document of %d bytes", length)
	}
	document := make([]byte, length)
	if _, err := io.ReadFull(reader, document); err != nil {
		return nil, fmt.Errorf("cut document: %v", err)
	}
	return document, nil
}

// convert is what tryDecodeSinglePod does before it knows of pods. A panic of
// the parser is an answer too: the kubelet would crash on it.
func convert(document []byte) (result answer) {
	defer func() {
		if cause := recover(); cause != nil {
			result = answer{Error: fmt.Sprintf("panic: %v", cause)}
		}
	}()
	value, err := utilyaml.ToJSON(document)
	if err != nil {
		return answer{Error: err.Error()}
	}
	if utilyaml.IsJSONBuffer(document) {
		return convertJSON(value)
	}
	result = answer{OK: true, JSON: value}
	if _, err := yaml.YAMLToJSONStrict(document); err != nil {
		result.Strict = err.Error()
	}
	return result
}

// ToJSON hands anything that begins with a brace on unread, and runtime.Decode
// then takes it for JSON and nothing else: {a: yes} is refused.
func convertJSON(document []byte) answer {
	var value any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(document, &value); err != nil {
		return answer{Error: err.Error()}
	}
	canonical, err := json.Marshal(value)
	if err != nil {
		return answer{Error: err.Error()}
	}
	result := answer{OK: true, JSON: canonical}
	problems, err := kjson.UnmarshalStrict(document, &value)
	if err == nil && len(problems) > 0 {
		result.Strict = errors.Join(problems...).Error()
	}
	return result
}
