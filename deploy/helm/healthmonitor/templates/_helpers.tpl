{{- define "healthmonitor.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "healthmonitor.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "healthmonitor.labels" -}}
{{ include "healthmonitor.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "healthmonitor.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "healthmonitor.scheme" -}}
{{ if .Values.tls.secretName }}HTTPS{{ else }}HTTP{{ end }}
{{- end -}}

{{- define "healthmonitor.hasProbeFiles" -}}
{{- if or .Values.probeFiles.secretName .Values.probeFiles.configMapName -}}yes{{- end -}}
{{- end -}}

{{/* Environment of a container: root, settings (those of the process alone), urlKey and amqpUrlKey (in the Secret). */}}
{{- define "healthmonitor.env" -}}
{{- range $name, $value := merge (dict) .settings .root.Values.settings }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
- name: DATABASE_URL_FILE
  value: /etc/healthmonitor/secret/{{ .urlKey }}
{{- with .root.Values.secret.keystonePasswordKey }}
- name: HM_KEYSTONE_PASSWORD_FILE
  value: /etc/healthmonitor/secret/{{ . }}
{{- end }}
{{- with .amqpUrlKey }}
- name: HM_AMQP_URL_FILE
  value: /etc/healthmonitor/secret/{{ . }}
{{- end }}
{{- if .root.Values.tls.secretName }}
- name: HM_TLS_CERT
  value: /etc/healthmonitor/tls/tls.crt
- name: HM_TLS_KEY
  value: /etc/healthmonitor/tls/tls.key
{{- end }}
{{- if include "healthmonitor.hasProbeFiles" .root }}
- name: HM_TLS_DIR
  value: /etc/healthmonitor/probe-files
{{- end }}
{{- end -}}

{{- define "healthmonitor.volumeMounts" -}}
- name: secret
  mountPath: /etc/healthmonitor/secret
  readOnly: true
{{- if .Values.tls.secretName }}
- name: tls
  mountPath: /etc/healthmonitor/tls
  readOnly: true
{{- end }}
{{- if include "healthmonitor.hasProbeFiles" . }}
- name: probe-files
  mountPath: /etc/healthmonitor/probe-files
  readOnly: true
{{- end }}
{{- end -}}

{{- define "healthmonitor.volumes" -}}
- name: secret
  secret:
    secretName: {{ .Values.secret.name }}
    defaultMode: 0440
{{- with .Values.tls.secretName }}
- name: tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- if .Values.probeFiles.secretName }}
- name: probe-files
  secret:
    secretName: {{ .Values.probeFiles.secretName }}
    defaultMode: 0440
{{- else if .Values.probeFiles.configMapName }}
- name: probe-files
  configMap:
    name: {{ .Values.probeFiles.configMapName }}
{{- end }}
{{- end -}}

{{/* What all pods have: root, component. */}}
{{- define "healthmonitor.podSecurity" -}}
serviceAccountName: {{ .Values.serviceAccount.name }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "healthmonitor.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Metadata of a pod: root, component, annotations. */}}
{{- define "healthmonitor.podMetadata" -}}
labels:
  {{- include "healthmonitor.labels" . | nindent 2 }}
{{- if or .root.Values.prometheusAnnotations .annotations }}
annotations:
  {{- if .root.Values.prometheusAnnotations }}
  prometheus.io/scrape: 'true'
  prometheus.io/port: '9877'
  prometheus.io/path: /metrics
  prometheus.io/scheme: {{ include "healthmonitor.scheme" .root | lower }}
  {{- end }}
  {{- with .annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "healthmonitor.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "healthmonitor.selector" . | nindent 8 }}
{{- end -}}

{{/* Where pods may run: the values of a component. */}}
{{- define "healthmonitor.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
