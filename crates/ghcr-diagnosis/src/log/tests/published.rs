//! Logs as people published them, each with where: what was misread once.

use expect_test::expect;

use super::check;

/// Pushes.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of logs")]
fn refused_pushes() {
    // https://github.com/sedaprotocol/seda-chain/issues/164
    check(
        "ERROR: failed to solve: failed to push ghcr.io/sedaprotocol/seda-chain:v0.0.2: failed commit on ref \"manifest-sha256:90144a87d3fe7740964ca376203a0215bfd72de7d47055f30e1b5a935c0fc2dd\": unexpected status from PUT request to https://ghcr.io/v2/sedaprotocol/seda-chain/manifests/sha256:90144a87d3fe7740964ca376203a0215bfd72de7d47055f30e1b5a935c0fc2dd: 403 Forbidden\n\
         [293](https://github.com/sedaprotocol/seda-chain/actions/runs/7490187164/job/20388852550#step:9:298)\n\
         Error: buildx failed with: ERROR: failed to solve: failed to push ghcr.io/sedaprotocol/seda-chain:v0.0.2: failed commit on ref \"manifest-sha256:90144a87d3fe7740964ca376203a0215bfd72de7d47055f30e1b5a935c0fc2dd\": unexpected status from PUT request to https://ghcr.io/v2/sedaprotocol/seda-chain/manifests/sha256:90144a87d3fe7740964ca376203a0215bfd72de7d47055f30e1b5a935c0fc2dd: 403 Forbidden\n",
        &expect![[r"
            403 PUT put-tag ghcr.io ghcr.io/sedaprotocol/seda-chain:v0.0.2 |  | package-just-created
        "]],
    );
    // https://github.com/podman-container-tools/podman/issues/6950
    check(
        "$ podman push docker.pkg.github.com/gbraad/container-images/mono-build:1.0\n\
         Getting image source signatures\n\
         Copying blob 78b907355051 done\n\
         Copying blob f0a533c6811d [--------------------------------------] 8.0b / 800.0MiB\n\
         Copying blob d9e1d1e08de2 done\n\
         Error: error copying image to the remote destination: Error writing blob: Error initiating layer upload to /v2/gbraad/container-images/mono-build/blobs/uploads/ in docker.pkg.github.com: blob upload invalid: Docker image with name \"mono-build\" is already associated with another repository under owner \"gbraad\"\n\
         $ podman push docker.pkg.github.com/gbraad/container-images/mono-build:1.0\n\
         Getting image source signatures\n\
         Copying blob f0a533c6811d done\n\
         Copying blob 78b907355051 skipped: already exists\n\
         Copying config ecb9df2001 done\n\
         Writing manifest to image destination\n\
         Storing signatures\n",
        &expect![[r#"
            - - start-upload docker.pkg.github.com docker.pkg.github.com/gbraad/container-images/mono-build:1.0 | BLOB_UPLOAD_INVALID: Docker image with name "mono-build" is already associated with another repository under owner "gbraad" | unknown-denial
        "#]],
    );
    // https://github.com/docker/build-push-action/issues/687
    check(
        "#33 [auth] yikun/apache-spark-ci-image:pull,push token for ghcr.io\n\
         #33 DONE 0.0s\n\
         \n\
         #32 exporting to image\n\
         #32 ...\n\
         \n\
         #34 [auth] apache/spark/apache-spark-github-action-image-cache:pull yikun/apache-spark-ci-image:pull,push token for ghcr.io\n\
         #34 DONE 0.0s\n\
         \n\
         #32 exporting to image\n\
         #32 pushing layers 1.5s done\n\
         #32 ERROR: unexpected status: 403 Forbidden\n\
         ------\n\
         \x20> exporting to image:\n\
         ------\n\
         ERROR: failed to solve: unexpected status: 403 Forbidden\n\
         Error: buildx failed with: ERROR: failed to solve: unexpected status: 403 Forbidden\n",
        &expect![[r"
            403 - - ghcr.io ghcr.io/yikun/apache-spark-ci-image |  | package-denies-repository
        "]],
    );
    // https://github.com/fluxcd/flux2/issues/3969
    check(
        "pushing artifact failed: pushing artifact failed: HEAD https://ghcr.io/v2/ameyp/manifests/k3s-cluster/blobs/sha256:994b1a57917cbabb64fc705a801940f38b5a55d3104150bacc079affb5da5ee3: unexpected status code 403 Forbidden (HEAD responses have no body, use GET for details)\n",
        &expect![[r"
            403 HEAD check-blob ghcr.io ghcr.io/ameyp/manifests/k3s-cluster |  | package-unreadable
        "]],
    );
    // https://github.com/slsa-framework/slsa-github-generator/issues/1699
    check(
        "Error: signing ghcr.io/slsa-framework/example-package.e2e.container.push.main.default.slsa3@sha256:def490eb6f085f58e87cc445fea11c74910f27d074720350102fd594b55565d6: PUT https://ghcr.io/v2/slsa-framework/example-package.e2e.container.push.main.default.slsa3/blobs/upload/03f854c2-5b37-4809-9506-6803fd7f5332?digest=sha256%3A9f7732a53c2c96e0800b217b4298fa9b75d156db806e993435c0a4aab571ad9b: DENIED: permission_denied: unable to connect to authzd server: twirp error bad_route: Error from intermediary with HTTP status code 404 \"Not Found\"\n\
         main.go:62: error during command execution: signing ghcr.io/slsa-framework/example-package.e2e.container.push.main.default.slsa3@sha256:def490eb6f085f58e87cc445fea11c74910f27d074720350102fd594b55565d6: PUT https://ghcr.io/v2/slsa-framework/example-package.e2e.container.push.main.default.slsa3/blobs/upload/03f854c2-5b37-4809-9506-6803fd7f5332?digest=sha256%3A9f7732a53c2c96e0800b217b4298fa9b75d156db806e993435c0a4aab571ad9b: DENIED: permission_denied: unable to connect to authzd server: twirp error bad_route: Error from intermediary with HTTP status code 404 \"Not Found\"\n",
        &expect![[r#"
            - PUT commit-blob ghcr.io ghcr.io/slsa-framework/example-package.e2e.container.push.main.default.slsa3@sha256:def490eb6f085f58e87cc445fea11c74910f27d074720350102fd594b55565d6 | DENIED: permission_denied: unable to connect to authzd server: twirp error bad_route: Error from intermediary with HTTP status code 404 "Not Found" | registry-unavailable
        "#]],
    );
    // https://github.com/pytorch/pytorch/pull/184664
    check(
        "crane hit `DENIED: installation not allowed to Write organization package` at `POST /v2/pytorch/ci-image/blobs/uploads/`. Both tools call the same endpoint with the same `~/.docker/config.json`, so the divergence is in how each obtains the bearer token.\n",
        &expect![[r"
            - - - - - | DENIED: installation not allowed to Write organization package | workflow-lacks-packages-write
        "]],
    );
    // https://github.com/docker/build-push-action/issues/586
    check(
        "denied: registry contains 1 repositories, limit is 1\n",
        &expect![[r"
            - - - - - | DENIED: registry contains 1 repositories, limit is 1 | unknown-denial
        "]],
    );
    // https://github.com/goreleaser/goreleaser/issues/5146
    check(
        "\x20• docker images\n\
         \x20   • building docker image                          image=registry.gitlab.com/xxx/afctl:latest\n\
         \x20   • took: 26s\n\
         \x20 • publishing\n\
         \x20   • docker images\n\
         \x20     • pushing                                      image=registry.gitlab.com/xxx/afctl:latest\n\
         \x20 ⨯ release failed after 5m6s                error=docker images: failed to publish artifacts: failed to push registry.gitlab.com/xxx/afctl:latest after 0 tries: failed to push registry.gitlab.com/xxx/afctl:latest: exit status 1: Error response from daemon: failed to find image registry.gitlab.com/xxx/afctl:latest: image not known\n",
        &expect![[""]],
    );
    // https://github.com/go-gitea/gitea/issues/33646
    check(
        "unknown: <html>\n\
         <head><title>413 Request Entity Too Large</title></head>\n\
         <body>\n\
         <center><h1>413 Request Entity Too Large</h1></center>\n\
         <hr><center>nginx/1.22.1</center>\n\
         </body>\n\
         </html>\n",
        &expect![[r"
            413 - - - - | <html> <head><title>413 Request Entity Too Large</title></head> <body> <center><h1>413 Request Entity Too Large</h1></center> <hr><center>nginx/1.22.1</center> </body> </html> | intermediary
        "]],
    );
    // https://github.com/Smana/runlore/pull/377
    check(
        "Error: signing [ghcr.io/smana/charts/runlore@sha256:a7903c71…]: signing digest:\n\
         failed to upload layer: POST https://ghcr.io/v2/smana/charts/runlore/blobs/uploads/:\n\
         UNAUTHORIZED: User cannot be authenticated with the token provided.\n",
        &expect![[r"
            - POST start-upload ghcr.io ghcr.io/smana/charts/runlore@sha256:a7903c71 | UNAUTHORIZED: User cannot be authenticated with the token provided. | credential-missing
        "]],
    );
}

/// Registries that are not GitHub's.
#[test]
fn of_other_registries() {
    // https://github.com/goreleaser/goreleaser/issues/5853
    check(
        "docker manifests: failed to publish artifacts: failed to push redacted/redacted:latest:\n\
         exit status 1: failed to mount blob redacted/redacted-amd64@sha256:631a09d22084b181ee5e32f354a3e6521b37ad879cb3210f8c44183adc4259f0\n\
         to docker.io/redacted/redacted:latest:\n\
         error parsing HTTP 403 response body: unexpected end of JSON input: \"\"\n",
        &expect![[r"
            403 - - docker.io docker.io/redacted/redacted:latest |  | package-denies-repository
        "]],
    );
    // https://github.com/envoyproxy/gateway/issues/5907
    check(
        "helm push /home/runner/work/gateway/gateway/bin/charts/gateway-crds-helm-v0.0.0-latest.tgz oci://docker.io/envoyproxy\n\
         Error: failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token?scope=repository%3Aenvoyproxy%2Fgateway-crds-helm%3Apull&scope=repository%3Aenvoyproxy%2Fgateway-crds-helm%3Apull%2Cpush&service=registry.docker.io: 401 Unauthorized\n",
        &expect![[r"
            401 GET fetch-token auth.docker.io docker.io/envoyproxy/gateway-crds-helm |  | credential-rejected
        "]],
    );
    // https://github.com/GoogleContainerTools/kaniko/issues/702
    check(
        "$ /kaniko/executor --context \"$SERVICE_FOLDER\" --dockerfile \"Dockerfile\" --destination ${REGISTRY_URL}/${CI_PROJECT_NAME}/imagename:latest --build-arg ARTIFACTORY_USERNAME=$ARTIFACTORY_USERNAME\n\
         error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated correctly, and try again: checking push permission for \"/projectname/imagename:latest\": creating push check transport for index.docker.io failed: GET https://auth.docker.io/token?scope=repository%3A%2Fprojectname%2Fimagename%3Apush%2Cpull&service=registry.docker.io: unexpected status code 400 Bad Request: {\"details\":\"invalid repository name\"}\n",
        &expect![[r"
            400 GET fetch-token auth.docker.io docker.io//projectname/imagename |  | none
        "]],
    );
    // https://github.com/banzaicloud/drone-kaniko/issues/35
    check(
        "error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated correctly, and try again: checking push permission for \"index.docker.io/[secret:docker_username]/flexiday:94ade237\": UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:[secret:docker_username]/flexiday Type:repository] map[Action:push Class: Name:[secret:docker_username]/flexiday Type:repository]]\n",
        &expect![[r"
            - - - index.docker.io - | UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:[secret:docker_username]/flexiday Type:repository] map[Action:push Class: Name:[secret:docker_username]/flexiday Type:repository]] | credential-missing
        "]],
    );
    // https://github.com/open-telemetry/community/issues/1635
    check(
        "#8 exporting to image\n\
         #8 pushing layers 0.7s done\n\
         #8 ERROR: failed to push otel/opentelemetry-operator-bundle:0.82.0: push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed\n",
        &expect![[r"
            401 - - docker.io docker.io/otel/opentelemetry-operator-bundle:0.82.0 | UNAUTHORIZED: insufficient_scope: authorization failed | credential-missing
        "]],
    );
    // https://github.com/containerd/nerdctl/issues/2840
    check(
        "nerdctl push myregistry/container:0.0.1\n\
         INFO[0000] pushing as a reduced-platform image (application/vnd.docker.distribution.manifest.v2+json, sha256:38190fe0c442313dc80c9dc1a8d8dfed69211f628e384c29fe34a68cd5ca867b) \n\
         manifest-sha256:38190fe0c442313dc80c9dc1a8d8dfed69211f628e384c29fe34a68cd5ca867b: waiting        |--------------------------------------| \n\
         config-sha256:76d9cb3ecd175bfb0a67849dfd3f1e7482c4db9778d2c1b10dc8e5a41f081a6f:   waiting        |--------------------------------------| \n\
         elapsed: 7.1 s                                                                    total:   0.0 B (0.0 B/s)                                         \n\
         FATA[0007] push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed\n",
        &expect![[r"
            401 - - docker.io docker.io/myregistry/container:0.0.1 | UNAUTHORIZED: insufficient_scope: authorization failed | credential-missing
        "]],
    );
    // https://github.com/IBM/actions-ibmcloud-iks/issues/10
    check(
        "Run docker push $REGISTRY_HOSTNAME/$ICR_NAMESPACE/$IMAGE_NAME:$GITHUB_SHA\n\
         \x20 docker push $REGISTRY_HOSTNAME/$ICR_NAMESPACE/$IMAGE_NAME:$GITHUB_SHA\n\
         \x20 shell: /usr/bin/bash -e {0}\n\
         \x20 env:\n\
         \x20   GITHUB_SHA: 7cb8ff4[2])99eaf76cba63d0918c\n\
         \x20   IBM_CLOUD_API_KEY: ***\n\
         \x20   REGISTRY_HOSTNAME: us.icr.io\n\
         \x20   IMAGE_NAME: hello-python\n\
         The push refers to repository [us.icr.io/***/hello-python]\n\
         \n\
         denied: insufficient scope\n\
         Error: Process completed with exit code 1.\n",
        &expect![[r"
            - - - us.icr.io us.icr.io/***/hello-python | DENIED: insufficient scope | unknown-denial
        "]],
    );
    // https://github.com/ZhangYuanhan-AI/CelebASpoofChallengeSubmissionExample/issues/9
    check(
        "denied: User: arn:aws:iam::871259748386:root is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-west-2:692230297653:repository/celeba-spoof-challenge-871259748386\n",
        &expect![[r"
            - - start-upload 692230297653.dkr.ecr.us-west-2.amazonaws.com 692230297653.dkr.ecr.us-west-2.amazonaws.com/celeba-spoof-challenge-871259748386 | DENIED: User: arn:aws:iam::871259748386:root is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-west-2:692230297653:repository/celeba-spoof-challenge-871259748386 | unknown-denial
        "]],
    );
    // https://github.com/aws-samples/aws-modern-application-workshop/issues/95
    check(
        "denied: User: arn:aws:sts::<CUT>:assumed-role/MythicalMysfitsServiceCodeBuildServiceRole/AWSCodeBuild-4c4a1c09-bbca-4853-9d15-e18fe7c6f667 is not authorized to perform: ecr:CompleteLayerUpload on resource: arn:aws:ecr:eu-west-1:026927173535:repository/mythicalmysfits/service\n\
         \x20[Container] 2019/04/03 07:22:13 Command did not exit successfully docker push $AWS_ACCOUNT_ID.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com/mythicalmysfits/service:latest exit status 1\n\
         [Container] 2019/04/03 07:22:13 Phase complete: POST_BUILD State: FAILED\n",
        &expect![[r"
            - - commit-blob 026927173535.dkr.ecr.eu-west-1.amazonaws.com $AWS_ACCOUNT_ID.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com/mythicalmysfits/service:latest | DENIED: User: arn:aws:sts::<CUT>:assumed-role/MythicalMysfitsServiceCodeBuildServiceRole/AWSCodeBuild-4c4a1c09-bbca-4853-9d15-e18fe7c6f667 is not authorized to perform: ecr:CompleteLayerUpload on resource: arn:aws:ecr:eu-west-1:026927173535:repository/mythicalmysfits/service | unknown-denial
        "]],
    );
    // https://github.com/regclient/regclient/issues/731
    check(
        "failed to send blob post, ref quay.io/daniel/test:latest: unauthorized\n",
        &expect![[r"
            - - start-upload quay.io quay.io/daniel/test:latest | UNAUTHORIZED:  | credential-missing
        "]],
    );
}
