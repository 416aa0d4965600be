package wandbtest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
)

// assembly is a file that comes in parts.
type assembly struct {
	artifact    *artifact
	name        string
	storagePath string
	sums        [][]byte // MD5 that were announced
	parts       [][]byte
}

// smallestPart is what object stores want of every part but the last, in bytes. It is
// that of S3, divided by 1024, so that tests need no large files.
const smallestPart = 5 << 10

// announced reads the parts that a client wants to send.
func (s *Server) announced(name string, spec arguments) ([][]byte, error) {
	list, given := spec["uploadPartsInput"].([]any)
	if !given {
		return nil, nil
	}
	var sums [][]byte
	for i, v := range list {
		p, err := inputOf("UploadPartsInput", arguments{"input": v})
		if err != nil {
			return nil, err
		}
		sum, err := hex.DecodeString(p.text("hexMD5"))
		if number, _ := p["partNumber"].(float64); int(number) != i+1 || err != nil || len(sum) != md5.Size {
			return nil, s.violated("createArtifactFiles: part %d of %s has number %v and hexMD5 %q", i+1, name, p["partNumber"], p.text("hexMD5"))
		}
		sums = append(sums, sum)
	}
	if len(sums) == 0 || len(sums) > 10_000 {
		return nil, s.violated("createArtifactFiles: %s has %d parts", name, len(sums))
	}
	return sums, nil
}

// assemble grants addresses for parts.
func (s *Server) assemble(a *artifact, name, storagePath string, sums [][]byte) object {
	upload := &assembly{artifact: a, name: name, storagePath: storagePath, sums: sums, parts: make([][]byte, len(sums))}
	id := fmt.Sprintf("upload-%d", len(s.assemblies)+1)
	if s.assemblies == nil {
		s.assemblies = map[string]*assembly{}
	}
	s.assemblies[id] = upload
	var addresses []object
	for i, sum := range sums {
		headers := []string{"Content-MD5:" + base64.StdEncoding.EncodeToString(sum), "Content-Type:application/octet-stream"}
		address := s.sign(&grant{method: http.MethodPut, headers: headers, put: func(b []byte) { upload.parts[i] = b }})
		addresses = append(addresses, object{"__typename": "UploadUrlPart", "partNumber": i + 1, "uploadUrl": address})
	}
	return object{"__typename": "UploadMultipartUrls", "uploadID": id, "uploadUrlParts": addresses}
}

// completeMultipartUploadArtifact puts parts together.
func (s *Server) completeMultipartUploadArtifact(args arguments) (any, error) {
	in, err := inputOf("CompleteMultipartUploadArtifactInput", args)
	if err != nil {
		return nil, err
	}
	upload := s.assemblies[in.text("uploadID")]
	if upload == nil || upload.artifact.ID != in.text("artifactID") || upload.storagePath != in.text("storagePath") {
		return nil, &trouble{status: http.StatusNotFound, message: "upload not found", path: "completeMultipartUploadArtifact"}
	}
	list, _ := in["completedParts"].([]any)
	if in.text("completeMultipartAction") != "Complete" || len(list) != len(upload.parts) {
		return nil, s.violated("completeMultipartUploadArtifact: %s with %d of %d parts", in.text("completeMultipartAction"), len(list), len(upload.parts))
	}
	for i, v := range list {
		p, err := inputOf("UploadPartsInput", arguments{"input": v})
		if err != nil {
			return nil, err
		}
		number, _ := p["partNumber"].(float64)
		switch b := upload.parts[i]; {
		case b == nil:
			return nil, s.violated("completeMultipartUploadArtifact: part %d was not sent", i+1)
		case int(number) != i+1 || p.text("hexMD5") != etag(b):
			return nil, s.violated("completeMultipartUploadArtifact: part %d has the ETag %s, not %s", i+1, etag(b), p.text("hexMD5"))
		case i < len(list)-1 && len(b) < smallestPart:
			return nil, s.violated("completeMultipartUploadArtifact: part %d has %d bytes, and the store wants %d", i+1, len(b), smallestPart)
		}
	}

	upload.artifact.Files[upload.name] = bytes.Join(upload.parts, nil)
	return object{"__typename": "CompleteMultipartUploadArtifactPayload", "digest": upload.artifact.Digest}, nil
}

// etag is what the store calls bytes.
func etag(b []byte) string { return fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(b))) }
