//! Logs of refused pulls as people published them, each with where: what gives a right to write cures none.

use expect_test::expect;

use super::check;

#[test]
#[expect(clippy::too_many_lines, reason = "a table of logs")]
fn refused_pulls() {
    // https://github.com/podman-container-tools/skopeo/issues/1929
    check(
        "[rose@fedora home]$ skopeo copy docker://tagless:test dir:/home/rose/.tern/temp\n\
         FATA[0001] initializing source docker://tagless:test: reading manifest test in docker.io/library/tagless: requested access to the resource is denied\n",
        &expect![[r"
            pull: - - check-manifest docker.io docker.io/library/tagless | : requested access to the resource is denied | credential-missing
        "]],
    );
    // https://github.com/NiNiyas/autoscan/issues/2
    check(
        "ERROR: for autoscan  Head \"https://ghcr.io/v2/niniyas/autoscan/manifests/beta_amd64\": unauthorized\n\
         ERROR: Head \"https://ghcr.io/v2/niniyas/autoscan/manifests/beta_amd64\": unauthorized\n\
         Pulling autoscan (ghcr.io/niniyas/autoscan:beta_amd64)...\n\
         ERROR: Head \"https://ghcr.io/v2/niniyas/autoscan/manifests/beta_amd64\": unauthorized\n",
        &expect![[r"
            pull: - HEAD check-manifest ghcr.io ghcr.io/niniyas/autoscan:beta_amd64 | UNAUTHORIZED:  | credential-missing
        "]],
    );
    // https://github.com/kube-logging/logging-operator/issues/1522
    check(
        "> helm upgrade --install --wait --create-namespace --namespace logging logging-operator oci://ghcr.io/kube-logging/helm-charts/logging-operator`\n\
         \n\
         Release \"logging-operator\" does not exist. Installing it now.\n\
         Error: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Akube-logging%2Fhelm-charts%2Flogging-operator%3Apull&scope=repository%3Auser%2Fimage%3Apull&service=ghcr.io: 403 Forbidden\n",
        &expect![[r"
            pull: 403 GET fetch-token ghcr.io ghcr.io/kube-logging/helm-charts/logging-operator |  | credential-missing
        "]],
    );
    // https://github.com/secureCodeBox/secureCodeBox/issues/2574
    check(
        "helm --namespace securecodebox-system upgrade --install --create-namespace securecodebox-operator oci://ghcr.io/securecodebox/helm/operator\n\
         Release \"securecodebox-operator\" does not exist. Installing it now.\n\
         Error: GET \"https://ghcr.io/v2/securecodebox/helm/operator/tags/list\": GET \"https://ghcr.io/token?scope=repository%3Asecurecodebox%2Fhelm%2Foperator%3Apull&service=ghcr.io\": unexpected status code 403: denied: denied\n",
        &expect![[r"
            pull: 403 GET fetch-token ghcr.io ghcr.io/securecodebox/helm/operator | DENIED: denied | credential-rejected
        "]],
    );
    // https://github.com/dependabot/cli/issues/380
    check(
        "cli | 2024/11/21 00:43:15 pulling image: ghcr.io/dependabot/dependabot-updater-npm\n\
         cli | 2024/11/21 00:43:15 updater failure: failed to pull ghcr.io/dependabot/dependabot-updater-npm: Error response from daemon: toomanyrequests: retry-after: 880.092µs, allowed: 44000/minute\n",
        &expect![[r"
            pull: - - check-manifest ghcr.io ghcr.io/dependabot/dependabot-updater-npm | TOOMANYREQUESTS: retry-after: 880.092µs, allowed: 44000/minute | rate-limit
        "]],
    );
    // https://github.com/GoogleContainerTools/jib/issues/3250
    check(
        "[ERROR] GET https://ghcr.io/token?service=ghcr.io&scope=repository:graalvm/graalvm-ce:pull\n\
         [ERROR] {\"errors\":[{\"code\":\"DENIED\",\"message\":\"denied\"}]}\n\
         [ERROR] -> [Help 1]\n\
         org.apache.maven.lifecycle.LifecycleExecutionException: Failed to execute goal com.google.cloud.tools:jib-maven-plugin:3.0.0:dockerBuild (default-dockerBuild) on project carts: Build to Docker daemon failed, perhaps you should make sure you have permissions for ghcr.io/graalvm/graalvm-ce and set correct credentials. See https://github.com/GoogleContainerTools/jib/blob/master/docs/faq.md#what-should-i-do-when-the-registry-responds-with-forbidden-or-denied for help\n\
         \x20   at org.apache.maven.lifecycle.internal.MojoExecutor.execute (MojoExecutor.java:215)\n\
         \x20   at org.apache.maven.wrapper.MavenWrapperMain.main (MavenWrapperMain.java:61)\n\
         Caused by: com.google.cloud.tools.jib.api.RegistryUnauthorizedException: Unauthorized for ghcr.io/graalvm/graalvm-ce\n\
         \x20   at com.google.cloud.tools.jib.plugins.common.JibBuildRunner.runBuild (JibBuildRunner.java:265)\n",
        &expect![[r"
            pull: - GET fetch-token ghcr.io ghcr.io/graalvm/graalvm-ce | DENIED: denied | credential-rejected
        "]],
    );
    // https://github.com/devantler-tech/platform/issues/1347
    check(
        "\x20wait for oci repository ready: flux OCIRepository is not ready -\n\
         \x20 ensure you have pushed an artifact with 'ksail workload push':\n\
         \x20 failed to determine artifact digest:\n\
         \x20 GET https://ghcr.io/token?scope=repository:devantler-tech/platform/manifests:pull&service=ghcr.io: DENIED: denied\n",
        &expect![[r"
            pull: - GET fetch-token ghcr.io ghcr.io/devantler-tech/platform/manifests | DENIED: denied | credential-rejected
        "]],
    );
    // https://github.com/bazel-contrib/rules_oci/issues/284
    check(
        "WARNING: Could not fetch the manifest. Either there was an authentication issue or trying to pull an image with OCI image media types.\n\
         Falling back to using `curl`. See https://github.com/bazelbuild/bazel/issues/17829 for the context.\n\
         WARNING: Download from https://nvcr.io/v2/nvidia/tritonserver/manifests/sha256:98d08ad85f789fc0ca67c1a0e5db1356d35f096f82446df336e2bcc8fe65f1ea failed: class com.google.devtools.build.lib.bazel.repository.downloader.UnrecoverableHttpException GET returned 401 Unauthorized\n\
         ERROR: An error occurred during the fetch of repository 'tritonserver_22.08_single':\n",
        &expect![[r"
            pull: 401 - check-manifest nvcr.io nvcr.io/nvidia/tritonserver@sha256:98d08ad85f789fc0ca67c1a0e5db1356d35f096f82446df336e2bcc8fe65f1ea |  | credential-missing
        "]],
    );
    // https://github.com/seanmorley15/AdventureLog/issues/405
    check(
        "> docker compose up                                                                       \n\
         [+] Running 3/3\n\
         \x20✘ server Error Head \"https://ghcr.io/v2/seanmorley15/adventurelog-frontend/manifests/latest\": denied: ...               0.6s \n\
         \x20✘ web Error    Head \"https://ghcr.io/v2/seanmorley15/adventurelog-frontend/manifests/latest\": denied: den...            0.6s \n\
         \x20✘ db Error     Head \"https://ghcr.io/v2/seanmorley15/adventurelog-frontend/manifests/latest\": denied: deni...           0.6s \n\
         Error response from daemon: Head \"https://ghcr.io/v2/seanmorley15/adventurelog-frontend/manifests/latest\": denied: denied\n",
        &expect![[r"
            pull: - HEAD check-manifest ghcr.io ghcr.io/seanmorley15/adventurelog-frontend:latest | DENIED: denied | credential-rejected
        "]],
    );
    // https://github.com/wolffcatskyy/crowdsec-blocklist-import/issues/60
    check(
        "docker compose pull\n\
         Error response from daemon: error from registry: denied\n\
         denied\n\
         \n\
         docker pull ghcr.io/wolffcatskyy/crowdsec-blocklist-import-python:latest\n",
        &expect![[r"
            pull: - - check-manifest ghcr.io ghcr.io/wolffcatskyy/crowdsec-blocklist-import-python:latest | DENIED:  | package-unreadable
        "]],
    );
    // https://github.com/containers/podlet/issues/82
    check(
        "$ podman pull ghcr.io/containers/podlet:v0.3.0\n\
         Trying to pull ghcr.io/containers/podlet:v0.3.0...\n\
         Error: copying system image from manifest list: determining manifest MIME type for docker://ghcr.io/containers/podlet:v0.3.0: reading manifest sha256:284fb19670b144bf507548406a07b563077d419de335c685d6d9607794596ceb in ghcr.io/containers/podlet: manifest unknown\n",
        &expect![[r"
            pull: - - check-manifest ghcr.io ghcr.io/containers/podlet:v0.3.0 | MANIFEST_UNKNOWN:  | manifest-unknown
        "]],
    );
    // https://github.com/esnet/gdg/issues/122
    check(
        "COPY --from=ghcr.io/esnet/gdg:0.3.1 /opt/gdg/bin/gdg /usr/local/bin/gdg\n\
         failed to solve: ghcr.io/esnet/gdg:0.3.1: failed to authorize: failed to fetch oauth token: unexpected status: 403 Forbidden\n",
        &expect![[r"
            pull: 403 - fetch-token ghcr.io ghcr.io/esnet/gdg:0.3.1 |  | credential-rejected
        "]],
    );
    // https://github.com/k0sproject/k0sctl/issues/981
    check(
        "Trying to pull ghcr.io/k0sprojects/k0sctl:latest...\n\
         Error: initializing source docker://ghcr.io/k0sprojects/k0sctl:latest: Requesting bearer token: invalid status code from registry 403 (Forbidden)\n",
        &expect![[r"
            pull: 403 - fetch-token ghcr.io ghcr.io/k0sprojects/k0sctl:latest |  | credential-rejected
        "]],
    );
    // https://github.com/whiteducksoftware/az-dns-forwarder/issues/1
    check(
        "\x20 Normal   Scheduled  47s                default-scheduler  Successfully assigned default/az-dns-forwarder-fc864c554-ctc82 to aks-pool01-30842998-vmss000001\n\
         \x20 Normal   BackOff    19s (x3 over 45s)  kubelet            Back-off pulling image \"ghcr.io/whiteducksoftware/az-dns-forwarder/az-dns-forwarder:latest\"\n\
         \x20 Warning  Failed     19s (x3 over 45s)  kubelet            Error: ImagePullBackOff\n\
         \x20 Normal   Pulling    5s (x3 over 46s)   kubelet            Pulling image \"ghcr.io/whiteducksoftware/az-dns-forwarder/az-dns-forwarder:latest\"\n\
         \x20 Warning  Failed     5s (x3 over 46s)   kubelet            Failed to pull image \"ghcr.io/whiteducksoftware/az-dns-forwarder/az-dns-forwarder:latest\": rpc error: code = Unknown desc = Error response from daemon: Get https://ghcr.io/v2/whiteducksoftware/az-dns-forwarder/az-dns-forwarder/manifests/latest: unauthorized\n",
        &expect![[r"
            pull: - GET check-manifest ghcr.io ghcr.io/whiteducksoftware/az-dns-forwarder/az-dns-forwarder:latest | UNAUTHORIZED:  | credential-missing
        "]],
    );
    // https://github.com/apptainer/singularity/issues/3616
    check(
        "While pulling image from oci registry: unable to pull from registry: failed to fetch oauth token: unexpected status: 401 Unauthorized\n",
        &expect![[r"
            pull: 401 - fetch-token - - |  | credential-rejected
        "]],
    );
    // https://github.com/apptainer/singularity/issues/4674
    check(
        "singularity run --docker-login docker://bids-validator\n\
         Enter Docker Username: verdurin\n\
         Enter Docker Password:\n\
         FATAL:   Unable to handle docker://bids-validator uri: failed to get SHA of docker://bids-validator: Error reading manifest latest in docker.io/library/bids-validator: errors:\n\
         denied: requested access to the resource is denied\n\
         unauthorized: authentication required\n",
        &expect![[r"
            pull: - - check-manifest docker.io docker.io/library/bids-validator | DENIED: requested access to the resource is denied; unauthorized: authentication required | credential-rejected
        "]],
    );
    // https://github.com/fredrikbaberg/hassio-addons/issues/245
    check(
        "21-11-14 09:04:59 ERROR (SyncWorker_1) [supervisor.docker.interface] Can't install ghcr.io/fredrikbaberg/addon-3dprinter-aarch64:2021.11.4: 500 Server Error for http+docker://localhost/v1.41/images/create?tag=2021.11.4&fromImage=ghcr.io%2Ffredrikbaberg%2Faddon-3dprinter-aarch64: Internal Server Error (\"Head \"https://ghcr.io/v2/fredrikbaberg/addon-3dprinter-aarch64/manifests/2021.11.4\": denied\")\n",
        &expect![[r"
            pull: - HEAD check-manifest ghcr.io ghcr.io/fredrikbaberg/addon-3dprinter-aarch64:2021.11.4 | DENIED:  | package-unreadable
        "]],
    );
    // https://github.com/strausmann/mcp-dockhand/issues/3
    check(
        "Error response from daemon: Head \"https://ghcr.io/v2/strausmann/mcp-dockhand/manifests/latest\": denied\n",
        &expect![[r"
            pull: - HEAD check-manifest ghcr.io ghcr.io/strausmann/mcp-dockhand:latest | DENIED:  | package-unreadable
        "]],
    );
}
