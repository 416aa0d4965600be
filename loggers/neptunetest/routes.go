package neptunetest

import (
	_ "embed" // the documents of the interface
	"encoding/json"
)

// Paths are relative to apiRoot unless they begin with a slash.
const apiRoot = "/api/leaderboard/v1/"

type route struct {
	credentials credentials
	serve       func(*Server, *call) (any, error)
}

// routes holds what the server answers, by method and path.
var routes = map[string]route{
	"GET /api/backend/swagger.json":                 {byNothing, document(backendDocument)},
	"GET /api/leaderboard/swagger.json":             {byNothing, document(leaderboardDocument)},
	"GET /api/backend/v1/clients/config":            {byKey, clientConfig},
	"GET /api/backend/v1/authorization/oauth-token": {byKey, exchange},
	"POST " + tokenPath:                             {byNothing, refreshTokens},
	"GET /api/backend/v1/projects/get":              {byBearer, getProject},
	"GET /api/backend/v1/projects":                  {byBearer, listProjects},
	"GET /api/backend/v1/myOrganizations":           {byBearer, listWorkspaces},
	"POST experiments":                              {byBearer, createRun},
	"GET experiments":                               {byBearer, getRun},
	"POST leaderboard/entries/search":               {byBearer, searchRuns},
	"POST attributes/ping":                          {byBearer, ping},
	"POST attributes/operations":                    {byBearer, executeOperations},
	"GET attributes":                                {byBearer, getAttributes},
	"GET attributes/floats":                         {byBearer, getAttribute("float")},
	"GET attributes/integers":                       {byBearer, getAttribute("int")},
	"GET attributes/booleans":                       {byBearer, getAttribute("bool")},
	"GET attributes/strings":                        {byBearer, getAttribute("string")},
	"GET attributes/datetimes":                      {byBearer, getAttribute("datetime")},
	"GET attributes/stringSets":                     {byBearer, getAttribute("stringSet")},
	"GET attributes/files":                          {byBearer, getAttribute("file")},
	"GET attributes/floatSeries":                    {byBearer, getAttribute("floatSeries")},
	"GET attributes/stringSeries":                   {byBearer, getAttribute("stringSeries")},
	"GET attributes/series/float":                   {byBearer, getSeries("floatSeries")},
	"GET attributes/series/string":                  {byBearer, getSeries("stringSeries")},
	"GET attributes/series/image":                   {byBearer, getSeries("imageSeries")},
	"GET attributes/series/image/single":            {byBearer, getImage},
	"GET attributes/download":                       {byBearer, download},
	"POST attributes/downloadFileSetZipRequest":     {byBearer, prepareZip},
	"GET download/downloadRequest":                  {byBearer, preparedZip},
	"GET download/zip":                              {byBearer, downloadZip},
	"GET attributes/ls":                             {byBearer, listFiles},
	"POST attributes/storage/file/upload":           {byBearer, uploadWhole("file")},
	"POST attributes/storage/file/upload/start":     {byBearer, uploadStart("file")},
	"POST attributes/storage/file/upload/part":      {byBearer, uploadPart("file")},
	"POST attributes/storage/file/upload/finish":    {byBearer, uploadFinish("file")},
	"POST attributes/storage/fileset/upload":        {byBearer, uploadWhole("fileSet")},
	"POST attributes/storage/fileset/upload/start":  {byBearer, uploadStart("fileSet")},
	"POST attributes/storage/fileset/upload/part":   {byBearer, uploadPart("fileSet")},
	"POST attributes/storage/fileset/upload/finish": {byBearer, uploadFinish("fileSet")},
	"POST attributes/uploadFileSetTar":              {byBearer, uploadTar},
}

// The documents from which the official client learns what there is.
var (
	//go:embed backend-swagger.json
	backendDocument []byte
	//go:embed leaderboard-swagger.json
	leaderboardDocument []byte
)

func document(content []byte) func(*Server, *call) (any, error) {
	return func(*Server, *call) (any, error) { return json.RawMessage(content), nil }
}
